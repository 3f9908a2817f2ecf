/** From a line to an exit code, in this process: whatever goes wrong is told and is a code, and nothing is thrown. */
import { ReaderGone, ToolError } from '@memsvc/shared/internal'
import t from 'tap'
import { run, type System } from '../src/run.ts'

/** Where printing fails like this. */
function system(failure: Error) {
  const told: string[] = []
  const print = () => Promise.reject(failure)
  const own: System = {
    begin: 0,
    print,
    tell: (line) => void told.push(line),
    showProgress: null,
    untilInterrupted: () => print,
    importWindow: () => Promise.reject(failure),
  }
  return { told, own }
}

const LINES = [['--help'], ['--version'], ['completion', 'bash'], ['__complete', '--', 'p'], ['__describe']]

t.test('if nobody reads the output any more, the command ends quietly', async (t) => {
  for (const line of LINES) {
    const { told, own } = system(new ReaderGone('nobody reads stdout'))
    t.equal(await run(line, own), 0, line.join(' '))
    t.strictSame(told, [])
  }
})

t.test('a disk that is full is told, once', async (t) => {
  for (const line of LINES) {
    const { told, own } = system(new ToolError(1, 'cannot write to stdout: ENOSPC'))
    t.equal(await run(line, own), 1, line.join(' '))
    t.strictSame(told, ['memclient: cannot write to stdout: ENOSPC'])
  }
})
