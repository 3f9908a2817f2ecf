/** The tool as a process. No other file uses `process` to read arguments or to end. */
import { EXIT, isDrawable, showProgress, tellPeople, whenReaderIsGone } from '@memsvc/shared/internal'
import { type Print, printByStream, printDirectly } from './commands/output.ts'
import { run, type System } from './run.ts'

const STDOUT = 1
const STDERR = 2

/**
 * Ends the process.
 * @param begin when it began its work, in milliseconds by `process.hrtime()`
 * @param importWindow of bin/memclient.cjs: the bundle can only require, and Yarn's Plug'n'Play finds an ES module for `import` alone
 */
export async function main(begin: number, importWindow: System['importWindow']): Promise<void> {
  const system: System = {
    begin,
    print: printDirectly(STDOUT, () => process.stdout),
    tell: (line) => tellPeople(line),
    showProgress: isDrawable(STDERR) ? showProgress : null,
    untilInterrupted,
    importWindow,
  }
  // exit(), because with exitCode a call that nobody answers would keep the process alive.
  process.exit(await run(process.argv.slice(2), system))
}

function untilInterrupted(): Print {
  const end = () => process.exit(EXIT.done)
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, end)
  whenReaderIsGone(STDOUT, end)
  return printByStream(process.stdout)
}
