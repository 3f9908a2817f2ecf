import { fileURLToPath } from 'node:url'
import t from 'tap'
import { collectGarbage } from '../../test-support/index.ts'
import { runTestFile } from '../../test-support/run-test-file.ts'

const { exitCode, output } = runTestFile(
  fileURLToPath(import.meta.resolve('../../test-support/fixtures/leaky-tests.js')),
)

t.test('a file with leaks fails', async (t) => t.equal(exitCode, 1))

t.test('a test that cleans up, also in its teardown, passes', async (t) => {
  t.match(output, /^ok \d+ - closes what it opens/m)
  t.match(output, /^ok \d+ - closes in its teardown/m)
})

t.test('a descriptor left open fails its test and is named', async (t) => {
  t.match(output, /^not ok \d+ - leaves a descriptor open/m)
  t.match(output, /\+ fd \d+ -> \/dev\/null/)
})

t.test('closing a descriptor of somebody else fails', async (t) => {
  t.match(output, /^not ok \d+ - closes a descriptor of somebody else/m)
  t.match(output, /- fd \d+ -> \/dev\/null/)
})

t.test('a leak warning fails its test', async (t) => t.match(output, /^not ok \d+ - is warned of a leak/m))

t.test('collectGarbage collects', async (t) => {
  const reference = new WeakRef({})
  await new Promise(setImmediate) // a WeakRef's target lives until the end of the job that made it
  collectGarbage()
  t.equal(reference.deref(), undefined)
})
