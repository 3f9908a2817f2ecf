/** The tool as a process: the only file that knows it. */
import { EXIT, tellPeople } from '@memsvc/shared/internal'
import { type Print, printByStream, printDirectly } from './commands/output.ts'
import { run } from './run.ts'

const STDOUT = 1

/** Ends the process. @param begin when it began its work, by `performance.now()` */
export async function main(begin: number): Promise<void> {
  const print = printDirectly(STDOUT, () => process.stdout)
  // exit() and not exitCode: a call that was given up because nobody answers would keep the process.
  process.exit(await run(process.argv.slice(2), { begin, print, tell: tellPeople, untilInterrupted }))
}

function untilInterrupted(): Print {
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(EXIT.done))
  return printByStream(process.stdout)
}
