/** Whatever it is called with, native code answers or throws: it neither ends the process nor keeps it. */
import t from 'tap'
import { native } from '../src/binding.ts'
import { runFixture } from '../test-support/index.ts'

t.test('every function of the addon comes back from every argument, and from none', async (t) => {
  const { status, signal, output, errors } = runFixture('calls-with-anything')
  t.same({ status, signal, errors }, { status: 0, signal: null, errors: '' })
  t.strictSame(output.trim().split('\n'), [...Object.keys(native), 'hub', 'done'])
})
