/** `--output FILE`: writes the output of a command to a file. */
import { Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { writeOutput } from '@memsvc/shared/internal'
import type { Context } from './context.ts'
import { type Print, printDirectly } from './output.ts'

/** Has `produce` print to the file that was asked for, or to stdout. @throws ToolError; what `produce` throws */
export async function printTo(context: Context, produce: (print: Print) => Promise<void>): Promise<void> {
  const { output = '-' } = context.options
  if (output === '-') return produce(context.print)
  await writeOutput(output, ({ fd, name, isFile }) => {
    if (isFile) return produce(inTurns(printDirectly(fd, unused, name)))
    return produce(printDirectly(fd, () => new Socket({ fd, readable: false, writable: true }), name))
  })
}

/** A signal is heard between two parts, however long the whole is. */
function inTurns(print: Print): Print {
  return async (data) => {
    await print(data)
    await setImmediate()
  }
}

/** A file is never slow in the way that a pipe is. */
function unused(): never {
  throw new Error('a file has no reader')
}
