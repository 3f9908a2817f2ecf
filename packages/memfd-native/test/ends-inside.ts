/**
 * The end can come in the middle of anything that this package calls: then nothing more is called, and the thread, or the
 * process, ends as it was told to. `npm run sanitize` runs this too, and sees what else would be touched.
 */
import t from 'tap'
import { runFixture } from '../test-support/index.ts'

const PLACES = [
  'a packet',
  'a packet, with answers that wait',
  'a packet in a nested loop',
  'a packet in a nested loop of a watcher',
  'a promise after a packet',
  'a connection',
  'a watcher',
  'a watcher that is closed',
  'a watcher that a nested loop has freed',
  'a watcher in a nested loop of a packet',
]

for (const where of PLACES) {
  t.test(`a process that exits inside of ${where}`, async (t) => {
    t.match(runFixture('ends-inside', ['main', 'exit', where]), { status: 7, signal: null, errors: '' })
  })
  t.test(`a worker that exits inside of ${where}`, async (t) => {
    const ended = runFixture('ends-inside', ['worker', 'exit', where])
    t.strictSame(ended, { status: 0, signal: null, output: 'ended with 7', errors: '' })
  })
  t.test(`a worker that is terminated inside of ${where}`, async (t) => {
    const ended = runFixture('ends-inside', ['worker', 'terminate', where])
    t.strictSame(ended, { status: 0, signal: null, output: 'ended with 1', errors: '' })
  })
}

t.test('a watcher that closes itself in its callback, and runs the loop, is told nothing more', async (t) => {
  t.strictSame(runFixture('closes-a-watcher-inside'), { status: 0, signal: null, output: 'called 1', errors: '' })
})
