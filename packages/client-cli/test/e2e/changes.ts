/** `memclient changes`: every change that settles, over restarts of the owner, until its reader or its user has enough. */
import { fileURLToPath } from 'node:url'
import { leakChecked, type Program, startProgram, watchdog } from '@memsvc/shared/test-support'
import t, { type Test } from 'tap'
import { memclient, startMemclient, startMemsvc, startStore } from '../../test-support/index.ts'

const OWNER = fileURLToPath(new URL('../../test-support/fixtures/store-owner.js', import.meta.url))

watchdog(t)
leakChecked(t)

/** From here on each change is told. */
async function startChanges(t: Test, registry: string, args: string[] = []): Promise<Program> {
  const program = startMemclient(t, registry, ['changes', ...args])
  t.match(await program.stderr.next(), /^memclient: watching SharedStore at /)
  return program
}

t.test('a line for each change: KEY VALUE, and KEY of what was deleted', async (t) => {
  const { registry, store } = await startStore(t)
  store.set('before', 1)
  const program = await startChanges(t, registry)
  const expected: [change: () => void, line: string][] = [
    [() => store.set('a', { b: [1] }), 'a {"b":[1]}'],
    [() => store.set('a', 'two\nlines'), 'a "two\\nlines"'],
    [() => store.set('bytes', Buffer.from([0, 10])), 'bytes {"$bytes":"AAo="}'],
    [() => store.delete('a'), 'a'],
    [() => store.set('before', 2), 'before 2'],
  ]
  for (const [change, line] of expected) {
    change()
    t.equal(await program.stdout.next(), line)
  }
})

t.test('people see the beginning and the length of long bytes; --json has all of them', async (t) => {
  const { registry, store } = await startStore(t)
  const forPeople = await startChanges(t, registry)
  const forPrograms = await startChanges(t, registry, ['--json'])
  const bytes = Buffer.alloc(1024 * 1024, 7)
  store.set('bytes', bytes)
  const $bytes = `${bytes.subarray(0, 192).toString('base64')}...`
  t.equal(await forPeople.stdout.next(), `bytes ${JSON.stringify({ $bytes, byteLength: bytes.length })}`)
  const { value } = JSON.parse((await forPrograms.stdout.next()) ?? '')
  t.strictSame(value, { $bytes: bytes.toString('base64') })
})

t.test('a value of many levels is shown as it is', async (t) => {
  const { registry, store } = await startStore(t)
  const programs = [await startChanges(t, registry), await startChanges(t, registry, ['--json'])]
  const text = `${'['.repeat(3000)}${']'.repeat(3000)}`
  const version = store.set('deep', JSON.parse(text))
  const [forPeople, forPrograms] = await Promise.all(programs.map((program) => program.stdout.next()))
  t.equal(forPeople, `deep ${text}`)
  t.equal(forPrograms, `{"key":"deep","value":${text},"version":${version}}`)
})

t.test('with --json each is an object', async (t) => {
  const { registry, store } = await startStore(t)
  const program = await startChanges(t, registry, ['--json'])
  const version = Number(store.set('a', [1]))
  t.same(JSON.parse((await program.stdout.next()) ?? ''), { key: 'a', value: [1], version })
  store.delete('a')
  t.match(JSON.parse((await program.stdout.next()) ?? ''), { key: 'a', deleted: true, version: Number })
})

t.test('with a prefix no other keys are shown, and --count ends it', async (t) => {
  const { registry, store } = await startStore(t)
  const program = await startChanges(t, registry, ['a/', '--count', '2'])
  for (const key of ['b', 'a', 'a/1', 'b', 'a/2', 'a/3']) {
    store.set(key, 1)
    if (key === 'a/1') t.equal(await program.stdout.next(), 'a/1 1')
  }
  t.match(await program.ending, { code: 0, signal: null })
  t.equal(program.stdout.text.split('\n').length, 2)
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  t.test(`${signal} is the regular end`, async (t) => {
    const { registry } = await startStore(t)
    const program = await startChanges(t, registry)
    program.kill(signal)
    t.match(await program.ending, { code: 0, signal: null, stdout: '' })
  })
}

t.test('it ends at once when its reader goes away, with no change to tell', async (t) => {
  const { registry } = await startStore(t)
  const program = await startChanges(t, registry)
  program.closeStdout()
  t.match(await program.ending, { code: 0, signal: null, stderr: /^memclient: watching \S+ at \S+$/ })
})

t.test('it goes on with the next owner', async (t) => {
  const { registry } = await startMemsvc(t, { command: 'registry' })
  let owner = await startOwner(t, registry, '1')
  const program = await startChanges(t, registry)
  for (const value of ['2', '3']) {
    await owner.destroy()
    t.equal(await program.stderr.next(), 'memclient: SharedStore is gone, waiting for it to come back')
    owner = await startOwner(t, registry, value)
    t.equal(await program.stdout.next(), `a ${value}`)
  }
})

t.test('it does not end with a store that is closed', async (t) => {
  const { registry, store } = await startStore(t)
  const program = await startChanges(t, registry)
  store.set('a', 1)
  t.equal(await program.stdout.next(), 'a 1')
  store.set('a', 2)
  t.equal(await program.stdout.next(), 'a 2', 'it is being watched')
  store.close()
  await memclient(registry, ['list'])
  program.kill('SIGKILL')
  const { signal, stderr } = await program.ending
  t.equal(signal, 'SIGKILL', 'it was there until then')
  t.equal(stderr.split('\n').length, 1, stderr)
})

t.test('it waits for the next daemon when one is stopped in good order', async (t) => {
  const { registry, program } = await startMemsvc(t)
  const watcher = await startChanges(t, registry)
  program.kill('SIGTERM')
  await program.ending
  await startMemsvc(t, { registry })
  await memclient(registry, ['put', 'a', '3'])
  t.equal(await watcher.stdout.next(), 'a 3')
})

/** A process that publishes a store in which `a` is that. */
async function startOwner(t: Test, registry: string, value: string): Promise<Program> {
  const owner = startProgram(OWNER, [value], { env: { MEMSVC_REGISTRY: registry } })
  t.teardown(() => owner.destroy())
  t.equal(await owner.stdout.next(), 'published', owner.stderr.text)
  return owner
}

t.test('a put of memclient is shown', async (t) => {
  const { registry } = await startStore(t)
  const program = await startChanges(t, registry)
  await memclient(registry, ['put', 'a', '7'])
  t.equal(await program.stdout.next(), 'a 7')
})
