/** However a process ends while it owns descriptors, mappings and watchers, it ends as it was told to. */
import t from 'tap'
import { runFixture } from '../test-support/index.ts'

const ENDS = {
  'by itself': { status: 0, signal: null },
  'by process.exit': { status: 3, signal: null },
  'by an uncaught error': { status: 1, signal: null },
  'by a signal': { status: null, signal: 'SIGTERM' },
}

for (const [how, expected] of Object.entries(ENDS)) {
  t.test(`a process ends ${how}`, async (t) => {
    const { status, signal } = runFixture('ends-with-everything-open', [how])
    t.same({ status, signal }, expected)
  })
}

t.test('answers of a process that ends in the middle of a batch are sent', async (t) => {
  const { status, output, errors } = runFixture('exits-in-a-batch')
  t.same({ status, output, errors }, { status: 0, output: 'answer', errors: '' })
})
