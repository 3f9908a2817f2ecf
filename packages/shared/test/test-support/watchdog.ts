import { fileURLToPath } from 'node:url'
import t from 'tap'
import { runTestFile } from '../../test-support/run-test-file.ts'

t.test('a test that hangs fails, with what the process holds; the next one runs', async (t) => {
  const fixture = fileURLToPath(import.meta.resolve('../../test-support/fixtures/hanging-test.js'))
  const { exitCode, output, errors } = runTestFile(fixture)
  t.equal(exitCode, 1)
  t.match(output, /^not ok \d+ - waits for ever/m)
  t.match(output, /^ok \d+ - comes after it/m)
  t.match(errors, /"waits for ever" hangs/)
  t.match(errors, /^resource Timeout$/m)
  t.match(errors, /^fd 0 -> /m)
})
