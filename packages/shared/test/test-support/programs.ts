/** The harness for programs: lines as they come, and endings. */
import { existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)

const program = fileURLToPath(import.meta.resolve('../../test-support/fixtures/say-and-wait.js'))

t.test('a program that ends tells its output, its errors and its code', async (t) => {
  const { code, signal, stdout, stderr } = await support.runProgram(program, ['one', 'two'], { env: { SAID: 'given' } })
  t.strictSame([code, signal, stdout], [7, null, 'one\ntwo'])
  t.match(stderr, '"env":"given"')
})

t.test('lines are taken one by one, and the end of the stream is null', async (t) => {
  const running = support.startProgram(program, ['one', 'two', 'three', 'four'])
  t.equal(await running.stdout.next(), 'one')
  t.equal(await running.stdout.find((line) => line === 'three'), 'three', 'skips what is not wanted')
  t.equal(await running.stdout.next(), 'four')
  t.equal(await running.stdout.next(), null)
  t.equal(await running.stdout.find(() => true), null)
  t.equal((await running.ending).stdout, 'one\ntwo\nthree\nfour', 'has all lines, taken or not')
})

t.test('a program that waits is ended by a signal', async (t) => {
  const running = support.startProgram(program, ['ready', 'wait'])
  t.equal(await running.stdout.next(), 'ready')
  running.kill('SIGTERM')
  const { code, signal } = await running.ending
  t.strictSame([code, signal], [null, 'SIGTERM'])
})

t.test('a daemon that ends before it is ready is an error with its log', async (t) => {
  await t.rejects(support.startDaemon(t, program), { message: /no daemon:[\s\S]*not what you wait for/ })
})

t.test("a registry's directory is private and goes with the test", async (t) => {
  let directory = ''
  await t.test('as long as the test runs', async (t) => {
    directory = dirname(support.newRegistryPath(t))
    t.equal(statSync(directory).mode & 0o777, 0o700)
  })
  t.notOk(existsSync(directory))
})

t.test('another user runs it', { skip: support.otherUserProblem(program) }, async (t) => {
  const { stderr } = await support.runProgram(program, [], { uid: support.OTHER_UID })
  t.match(stderr, `"uid":${support.OTHER_UID}`)
})
