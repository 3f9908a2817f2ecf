/** A region in a worker thread, as the documents say. */
import t from 'tap'
import { leakChecked, watchdog } from '../../packages/shared/dist/test-support/harness.js'
import { runExample } from './support/programs.mjs'

watchdog(t)
leakChecked(t)

t.test('the worker reads what the main thread writes, and nobody forgets to close anything', async (t) => {
  t.same(await runExample(t, 'worker-region/main.mjs', [], ''), {
    code: 0,
    signal: null,
    stdout: 'the worker sees 1\nthe worker sees 2\nthe worker sees 3',
    stderr: '',
  })
})
