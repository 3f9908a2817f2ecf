/** A store whose owner is another process: read at its next get, followed over its death and restart. */
import t from 'tap'
import { ServiceManager } from '../../src/service-manager/service-manager.ts'
import { SharedStore } from '../../src/store/shared-store.ts'
import * as support from '../../test-support/index.ts'

const { leakChecked, ownedStore, publishedStore, startOwner, startRegistry, tell, twoProcesses, watchdog } = support

leakChecked(t)
watchdog(t)

t.test(
  'a set of another process is seen by the next get, while this one does not come to its event loop',
  async (t) => {
    const { owner, store } = await twoProcesses(t)
    store.get('n')
    owner.say('count n 200000')
    let last = 0
    while (last < 200_000) {
      const now = (store.get('n') as number | undefined) ?? 0
      if (now < last) t.fail(`went back from ${last} to ${now}`)
      last = now
    }
    t.equal(last, 200_000)
  },
)

t.test('reads go on with the last values while the owner is away, and then with the new ones', async (t) => {
  const { registry, owner, store } = await twoProcesses(t)
  const version = await store.set('k', { a: 1 })
  const value = store.get('k')
  t.match(store.status, { state: 'live', connected: true, ageMs: 0 })
  await owner.destroy()
  while (store.status.connected) await new Promise(setImmediate)
  t.equal(store.get('k'), value)
  t.match(store.status, { state: 'stale', connected: false, version })
  t.ok(store.status.ageMs >= 0)
  await startOwner(t, registry)
  const next = await store.set('k', 2)
  t.ok(next > version, 'no version is given twice')
  t.equal(store.get('k'), 2)
  t.match(store.status, { state: 'live', connected: true, ageMs: 0, version: next })
})

t.test('a call that begins while the owner is away waits for it, until its deadline', async (t) => {
  const { registry, owner, store } = await twoProcesses(t)
  await owner.destroy()
  // Nothing is known of the death here yet.
  await t.rejects(store.set('k', 1, { timeoutMs: 100 }), { code: 'ERR_TIMEOUT' })
  await t.rejects(store.set('k', 1, { signal: AbortSignal.timeout(50) }), { code: 'ABORT_ERR' })
  const waiting = [store.set('a', 1), store.increment('b'), store.set('c', Buffer.alloc(200_000, 1))]
  await startOwner(t, registry)
  await Promise.all(waiting)
  t.same([store.get('a'), store.get('b'), (store.get('c') as Uint8Array).length], [1, 1, 200_000])
})

t.test('a call in flight at the death is ERR_DEAD_OBJECT, and is not made again', async (t) => {
  const { owner, store } = await twoProcesses(t)
  owner.say('hang')
  await store.set('before', 1, { timeoutMs: 200 }).catch(() => undefined)
  const calls = [store.set('k', 1), store.increment('n'), store.set('large', Buffer.alloc(1_000_000))]
  const settled = Promise.allSettled(calls)
  await owner.destroy()
  for (const result of await settled) t.match(result, { status: 'rejected', reason: { code: 'ERR_DEAD_OBJECT' } })
})

t.test('a loop hears the last changes of an owner that dies, and those of the next one', async (t) => {
  const { registry, owner, store } = await twoProcesses(t)
  await store.set('same', 1)
  const seen: [string, unknown][] = []
  const changes = store.changes()
  const follow = async () => {
    for await (const { key, value } of changes) {
      seen.push([key, value])
      if (key === 'end') return
    }
  }
  const following = follow()
  await tell(owner, 'set last 7')
  await owner.destroy()
  const next = await startOwner(t, registry)
  await tell(next, 'set end 1')
  await following
  t.same(seen[0], ['last', 7])
  const told = new Map(seen)
  t.same([told.get('same'), told.get('last'), told.get('end')], [undefined, undefined, 1])
  t.ok(told.has('same'), 'what the next owner has not is told as deleted')
})

t.test('a registry that dies with the owner is found again too', async (t) => {
  const { registry, program: daemon } = await startRegistry(t)
  const owner = await startOwner(t, registry)
  const store = await SharedStore.open('store', { path: registry })
  t.teardown(() => store.close())
  await owner.destroy()
  await daemon.destroy()
  const setting = store.set('k', 1, { timeoutMs: 60_000 })
  await startRegistry(t, { registry })
  await startOwner(t, registry)
  await setting
  t.equal(store.get('k'), 1)
})

t.test('a store does not keep its process alive, also while its owner is away', async (t) => {
  const { registry, owner } = await twoProcesses(t)
  const source = `
    import { SharedStore } from ${JSON.stringify(import.meta.resolve('../../src/index.js'))}
    const store = await SharedStore.open('store', { path: ${JSON.stringify(registry)} })
    await store.set('k', 1)
    console.log(store.get('k'))
  `
  const { startCommand } = await import('../../test-support/programs.ts')
  const ending = await startCommand([process.execPath, '--input-type=module', '-e', source]).ending
  t.match(ending, { code: 0, stdout: '1' })
  const waits = startCommand([
    process.execPath,
    '--input-type=module',
    '-e',
    `${source}\nprocess.stdin.unref?.(); console.log('opened'); await new Promise((r) => setTimeout(r, 500))`,
  ])
  await waits.stdout.find((line) => line === 'opened')
  await owner.destroy()
  t.match(await waits.ending, { code: 0 })
  const manager = await ServiceManager.connect({ path: registry })
  t.equal(await manager.getService('store'), null)
  manager.close()
})

t.test('a store that its owner closes is stale at once, and its readers go on with the next one', async (t) => {
  const { owner, publisher, store } = await publishedStore(t)
  const version = await store.set('k', 1)
  const { value: told } = await first(store.changes('', { initial: true }))
  t.match(told, { key: 'k', value: 1 })
  const feed = store.changes()
  const change = feed.next()
  owner.close()
  t.match(store.status, { state: 'stale', connected: false, version }, 'in the same turn')
  t.equal(store.get('k'), 1)
  t.equal(store.entry('k').value, 1)
  await t.rejects(store.set('k', 2), { code: 'ERR_DEAD_OBJECT' }, 'under way when the channel ended')
  await t.rejects(store.set('k', 2, { timeoutMs: 100 }), { code: 'ERR_TIMEOUT' }, 'waits for the next owner')
  t.match(store.status, { state: 'stale', connected: false })
  const next = ownedStore(t)
  next.set('k', 3)
  await publisher.addService('store', next.binder)
  t.match(await change, { value: { key: 'k', value: 3 } })
  t.equal(store.get('k'), 3)
  t.ok((await store.set('k', 4)) > version)
  t.match(store.status, { state: 'live', connected: true })
  await feed.return()
})

t.test('calls that arrive in the turn in which a store is closed are answered', async (t) => {
  const { owner, store } = await publishedStore(t)
  const setting = store.set('k', 1)
  owner.onChange = () => owner.close()
  t.ok((await setting) > 0n)
  t.equal(store.get('k'), 1)
  t.equal(store.status.state, 'stale')
})

async function first<T>(loop: AsyncGenerator<T, void, undefined>): Promise<{ value: T | undefined }> {
  const { value } = await loop.next()
  await loop.return()
  return { value: value as T | undefined }
}
