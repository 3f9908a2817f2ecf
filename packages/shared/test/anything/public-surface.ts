/** Whatever is exported: nobody's arguments end the process or keep it, and each error says by a code what is wrong. */
import t from 'tap'
import { nodeUrl, runProgram, startRegistry } from '../../test-support/index.ts'

const PROGRAM = nodeUrl.fileURLToPath(import.meta.resolve('../../test-support/fixtures/calls-everything.js'))

t.setTimeout(300_000) // of the watchdog, for a machine that has other things to do

t.test('everything that is exported comes back from every argument, and its errors have codes', async (t) => {
  const { registry } = await startRegistry(t)
  const { code, signal, stdout, stderr } = await runProgram(PROGRAM, [registry])
  const lines = stdout.split('\n')
  t.match({ code, signal }, { code: 0, signal: null }, `after ${lines.at(-1)}\n${stderr}`)
  t.strictSame(
    lines.filter((line) => !/^(new )?(native|shared)\.\S+$/.test(line)),
    ['done'],
  )
})
