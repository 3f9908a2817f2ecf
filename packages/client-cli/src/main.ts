/** The tool as a process: the only file that knows it. */
import { writeSync } from 'node:fs'
import { EXIT } from './exit-codes.ts'
import { type Print, printByStream, printDirectly } from './output.ts'
import { run } from './run.ts'

const STDOUT = 1
const STDERR = 2

const system = { print: printDirectly(STDOUT, () => process.stdout), tell, untilInterrupted }

// exit() and not exitCode: a call that was given up because nobody answers would keep the process.
run(process.argv.slice(2), system).then((exitCode) => process.exit(exitCode))

function tell(line: string): void {
  try {
    writeSync(STDERR, `${line}\n`)
  } catch {
    // There is nowhere left to say so; the exit code does.
  }
}

function untilInterrupted(): Print {
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(EXIT.done))
  return printByStream(process.stdout)
}
