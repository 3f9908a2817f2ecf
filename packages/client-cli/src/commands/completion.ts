import { completionScript, EXIT, type ExitCode, SHELLS, type Shell, ToolError } from '@memsvc/shared/internal'
import type { Context } from './context.ts'

/** `memclient completion SHELL` */
export async function completion({ print }: Context, shell: string): Promise<ExitCode> {
  if (!(SHELLS as readonly string[]).includes(shell)) {
    throw new ToolError(EXIT.usage, `the shell must be one of ${SHELLS.join(', ')}; got ${JSON.stringify(shell)}`)
  }
  await print(completionScript(shell as Shell, 'memclient'))
  return EXIT.done
}
