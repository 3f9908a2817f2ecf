/** What keeps a client's process alive, and what does not any more once it was given up. */
import { fileURLToPath } from 'node:url'
import { leakChecked, runProgram, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import { startMemsvc } from '../../test-support/index.ts'

watchdog(t)
leakChecked(t)

const PROGRAM = fileURLToPath(new URL('../../test-support/fixtures/ends-by-itself.js', import.meta.url))

t.test('a refused service, an unregistered callback and a watch that was left do not keep a process', async (t) => {
  const { registry } = await startMemsvc(t)
  const ending = await runProgram(PROGRAM, [registry])
  t.equal(ending.code, 0, ending.stderr)
  t.equal(ending.stdout, 'addService: ERR_ILLEGAL_STATE\nunregistered\nwatched: 0')
})
