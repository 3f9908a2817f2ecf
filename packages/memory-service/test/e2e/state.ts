/** `memsvc start --state`: what the next daemon has, after a kill -9 in the middle of writes, and who is refused. */
import { errorCode } from '@memsvc/shared'
import t, { type Test } from 'tap'
import * as support from '../../test-support/index.ts'

const { leakChecked, memsvc, newRegistryPath, nodeFs, nodePath, openStore } = support
const { readStatus, startMemsvc, warnings, watchdog } = support
const ROUNDS = 5
/** Ends of calls that a kill has cut off. */
const CUT_OFF = ['ERR_DEAD_OBJECT', 'ERR_TIMEOUT', 'ERR_CLOSED']

watchdog(t)
leakChecked(t)

function folderOf(t: Test): string {
  const path = t.testdir({})
  nodeFs.chmodSync(path, 0o700)
  return nodePath.join(path, 'state')
}

t.test('a daemon that ends has written all, with its versions', async (t) => {
  const args = ['--state', folderOf(t)]
  const { registry, program } = await startMemsvc(t, { args })
  const store = await openStore(t, registry)
  await store.set('json', { a: 1 })
  await store.set('large', Buffer.alloc(2_000_000, 9))
  const before = ['json', 'large'].map((key) => store.getEntry(key).version)
  program.kill('SIGTERM')
  t.match(await program.ending, { code: 0 })
  const { program: next } = await startMemsvc(t, { registry, args })
  const version = await store.set('new', 1)
  t.strictSame(
    ['json', 'large'].map((key) => store.getEntry(key).version),
    before,
  )
  t.strictSame([store.get('json'), (store.get('large') as Uint8Array)[1_999_999]], [{ a: 1 }, 9])
  t.ok(before.every((old) => version > old))
  t.match((await readStatus(registry)).stores, [{ name: 'SharedStore', keys: 3, state: { failing: false } }])
  t.match(next.stderr.text, /"msg":"the state was read"/)
  t.strictSame(warnings(next.stderr.text), [])
})

t.test('with --state-sync always a kill -9 in the middle of writes costs nothing that was answered', async (t) => {
  const registry = newRegistryPath(t)
  const args = ['--state', folderOf(t), '--state-sync', 'always']
  let answered = 0
  let highest = 0n
  for (let round = 0; round < ROUNDS; round++) {
    const { program } = await startMemsvc(t, { registry, args })
    const store = await openStore(t, registry)
    const [a, b] = [store.get('a'), store.get('b')] as (number | undefined)[]
    t.equal(a, b, 'a transaction is there as a whole, or not at all')
    t.ok((a ?? 0) >= answered, `${a} of ${answered}`)
    const seen = ['a', 'b'].map((key) => store.getEntry(key).version)
    t.ok(seen.every((version) => version <= 0n || version >= highest))
    let left = 5 + 7 * round
    for (let next = (a ?? 0) + 1; ; next++) {
      const change = store.update([
        { key: 'a', value: next },
        { key: 'b', value: next },
        { key: 'bytes', value: Buffer.alloc(20_000, next) },
      ])
      left -= 1
      if (left === 0) program.kill('SIGKILL')
      try {
        const version = await change
        t.ok(version > highest, 'a version is never given twice')
        highest = version
        answered = next
      } catch (error) {
        t.ok(CUT_OFF.includes(errorCode(error) ?? ''), errorCode(error) ?? 'no code')
        break
      }
    }
    store.close()
    await program.ending
  }
})

t.test('written behind, a kill -9 leaves a state that the store has had', async (t) => {
  const registry = newRegistryPath(t)
  const args = ['--state', folderOf(t), '--state-sync', 'behind']
  for (let round = 0; round < ROUNDS; round++) {
    const { program } = await startMemsvc(t, { registry, args })
    const store = await openStore(t, registry)
    const values = ['a', 'b', 'c'].map((key) => store.get(key))
    t.equal(new Set(values).size, 1, `${values}`)
    for (let i = 0; i < 200; i++) {
      const value = `${round}/${i}`
      await store.update(['a', 'b', 'c'].map((key) => ({ key, value })))
    }
    await program.destroy()
  }
})

t.test('the folder may be a link, as that of systemd is', async (t) => {
  const folder = folderOf(t)
  const [target, link] = [`${folder}-target`, `${folder}-link`]
  nodeFs.mkdirSync(target, { mode: 0o700 })
  nodeFs.symlinkSync(target, link)
  const { registry, program } = await startMemsvc(t, { args: ['--state', link] })
  const store = await openStore(t, registry)
  await store.set('k', 1)
  program.kill('SIGTERM')
  t.match(await program.ending, { code: 0 })
  t.ok(nodeFs.existsSync(nodePath.join(target, 'data.mdb')))
  nodeFs.chmodSync(target, 0o755)
  t.match(await memsvc(newRegistryPath(t), ['start', '--state', link]), { code: 4, stderr: /has mode 0755/ })
})

/** Of a page of lmdb's: where it says what it is, and where it says where its entries are. */
const [PAGE_BYTES, FLAGS_AT, ENTRIES_AT, IS_LEAF] = [4096, 18, 24, 2]

t.test('a database that ends whoever opens it is told of by the next start', async (t) => {
  const state = folderOf(t)
  const { registry, program } = await startMemsvc(t, { args: ['--state', state] })
  const store = await openStore(t, registry)
  for (const key of ['a', 'b']) await store.set(key, 1)
  store.close()
  program.kill('SIGTERM')
  await program.ending
  const file = nodePath.join(state, 'data.mdb')
  const bytes = nodeFs.readFileSync(file)
  for (let at = 2 * PAGE_BYTES; at < bytes.length; at += PAGE_BYTES) {
    if ((bytes.readUInt16LE(at + FLAGS_AT) & IS_LEAF) !== 0) bytes.fill(0xff, at + ENTRIES_AT, at + ENTRIES_AT + 16)
  }
  nodeFs.writeFileSync(file, bytes)
  const starting = () => memsvc(newRegistryPath(t), ['start', '--state', state])
  t.match(await starting(), { code: null, signal: /SIG/ }, 'by lmdb itself')
  for (let i = 0; i < 2; i++) {
    t.match(await starting(), {
      code: 1,
      stderr: /data\.mdb is damaged: it .*\. Move it away, and the stores begin empty/,
    })
  }
  nodeFs.rmSync(file)
  const { program: next } = await startMemsvc(t, { args: ['--state', state] })
  t.match(next.stderr.text, /"msg":"the state folder was used before, and has no values: the stores begin empty"/)
})

t.test('a start that was killed while it read is no damage', async (t) => {
  const state = folderOf(t)
  const { program } = await startMemsvc(t, { args: ['--state', state] })
  program.kill('SIGTERM')
  await program.ending
  const mark = nodePath.join(state, 'opening')
  nodeFs.writeFileSync(mark, '')
  await startMemsvc(t, { args: ['--state', state] })
  t.notOk(nodeFs.existsSync(mark))
})

t.test('the folder may have a dot in its name', async (t) => {
  const state = `${folderOf(t)}.d`
  for (let i = 0; i < 2; i++) {
    const { registry, program } = await startMemsvc(t, { args: ['--state', state] })
    const store = await openStore(t, registry)
    t.equal(await store.increment('starts'), i + 1)
    store.close()
    program.kill('SIGTERM')
    await program.ending
  }
})

t.test('something that is not a folder, or not a file in it, is told by its name', async (t) => {
  const folder = folderOf(t)
  const file = `${folder}-file`
  nodeFs.writeFileSync(file, '', { mode: 0o600 })
  const started = (path: string) => memsvc(newRegistryPath(t), ['start', '--state', path])
  t.match(await started(file), { code: 1, stderr: `memsvc: the state folder ${file} is not a folder` })
  for (const name of ['data.mdb', 'lock.mdb']) {
    nodeFs.rmSync(folder, { recursive: true, force: true })
    nodeFs.mkdirSync(nodePath.join(folder, name), { recursive: true, mode: 0o700 })
    t.match(await started(folder), { code: 1, stderr: new RegExp(`${name} is not a regular file`) })
  }
})

t.test('another daemon with the same folder is refused, and so is one without stores', async (t) => {
  const state = folderOf(t)
  await startMemsvc(t, { args: ['--state', state] })
  t.match(await memsvc(newRegistryPath(t), ['start', '--state', state]), {
    code: 1,
    stderr: `memsvc: another process uses the state folder ${state}`,
  })
  t.match(await memsvc(newRegistryPath(t), ['start', '--no-store', '--state', state]), {
    code: 2,
    stderr: /--state needs a store, and this daemon has none/,
  })
})

t.test('--state of nothing is refused, and is not the folder that it runs in', async (t) => {
  t.match(await memsvc(newRegistryPath(t), ['start', '--state', '']), { code: 2, stderr: /--state must not be empty/ })
})

t.test('--state-sync without --state is refused: nothing would be written', async (t) => {
  for (const sync of ['always', 'behind']) {
    t.match(await memsvc(newRegistryPath(t), ['start', '--state-sync', sync]), {
      code: 2,
      stderr: /--state-sync needs --state/,
    })
  }
})

t.test('a state folder that cannot be made is said, and is the end', async (t) => {
  t.match(await memsvc(newRegistryPath(t), ['start', '--state', '/proc/memsvc-test']), {
    code: 1,
    stderr: /the state folder \/proc\/memsvc-test cannot be opened: E/,
  })
})
