/** The garbage collector is a leak detector: what it finds open it closes, once, and says so. In processes of their own. */
import t from 'tap'
import { runFixture } from '../test-support/index.ts'

t.test('a forgotten descriptor is closed and reported', async (t) => {
  const { status, output, errors } = runFixture('forgets', ['descriptor'])
  t.equal(status, 0)
  t.equal(output, 'open 0, mapped 0')
  t.match(errors, /MEMSVC_LEAK.*descriptor \d+ was garbage collected and never closed/)
})

t.test('an owner that is a second old is found, without anybody ageing it by hand', async (t) => {
  const { status, errors } = runFixture('forgets-and-waits')
  t.equal(status, 0)
  t.match(errors, /MEMSVC_LEAK.*descriptor \d+ was garbage collected and never closed/)
})

t.test('a forgotten mapping is unmapped and reported', async (t) => {
  const { output, errors } = runFixture('forgets', ['mapping'])
  t.equal(output, 'open 0, mapped 0')
  t.match(errors, /MEMSVC_LEAK.*mapping of 4096 bytes was garbage collected and never closed/)
})

t.test('a reader does not keep its mapping, and finds it gone', async (t) => {
  const { output, errors } = runFixture('forgets', ['mapping with a reader'])
  t.equal(output, 'open 0, mapped 0, ERR_CLOSED')
  t.match(errors, /MEMSVC_LEAK.*mapping of 4096 bytes was garbage collected and never closed/)
})

t.test('a forgotten Buffer is unmapped, which is its way', async (t) => {
  const { output, errors } = runFixture('forgets', ['buffer'])
  t.same({ output, errors }, { output: 'open 0, mapped 0', errors: '' })
})

t.test('something closed, unmapped or released by hand is not touched again', async (t) => {
  const { output, errors } = runFixture('forgets-closed-things')
  t.equal(errors, '')
  t.equal(output, 'the next owners of 300 numbers have their files')
})

t.test('2,000 forgotten Buffers are unmapped, and the process lives', async (t) => {
  t.equal(runFixture('forgets', ['2000 buffers']).output, 'open 0, mapped 0')
})
