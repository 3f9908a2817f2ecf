/** Loops over the changes of a store: the last change of each key, of the prefix only, quiet ends. */
import t from 'tap'
import type { StoreChange } from '../../src/store/reading.ts'
import { leakChecked, MIB, publishedStore, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

const done = { value: undefined, done: true }

t.test('changes after changes() was called are reported, also if nobody waits yet', async (t) => {
  const { owner, store } = await publishedStore(t)
  owner.set('before', 1)
  const changes = store.changes()
  const version = owner.set('a', 1)
  t.same((await changes.next()).value, { key: 'a', value: 1, version })
  const pending = changes.next()
  const next = await store.set('b', Buffer.from('x'))
  t.same((await pending).value, { key: 'b', value: new Uint8Array([120]), version: next })
  owner.delete('a')
  t.match((await changes.next()).value, { key: 'a', value: undefined })
  t.same(await changes.return(), done)
})

t.test('with initial the values that are there come first', async (t) => {
  const { owner, store } = await publishedStore(t)
  owner.set('k/a', 1)
  owner.set('other', 2)
  owner.set('k/b', 3)
  const seen: unknown[] = []
  for await (const { key, value } of store.changes('k/', { initial: true })) {
    seen.push([key, value])
    if (key === 'k/c') break
    if (key === 'k/b') owner.set('k/c', 4)
  }
  t.same(seen, [
    ['k/a', 1],
    ['k/b', 3],
    ['k/c', 4],
  ])
})

t.test('a loop over very many values leaves turns of the event loop to others', async (t) => {
  const { owner, store } = await publishedStore(t)
  const [count, atOnce] = [2000, 256]
  for (let i = 0; i < count; i++) owner.set(`k${i}`, i)
  const keys = new Set<string>()
  let turns = 0
  let turn = setImmediate(function next() {
    turns += 1
    turn = setImmediate(next)
  })
  for await (const { key } of store.changes('', { initial: true })) if (keys.add(key).size === count) break
  clearImmediate(turn)
  t.ok(turns >= Math.floor(count / atOnce), `${turns} turns`)
})

t.test('a loop acknowledges behind what it gives, and hears of what changes in between', async (t) => {
  const { owner, store } = await publishedStore(t)
  const seen: unknown[] = []
  const changes = store.changes('k')
  const first = changes.next()
  await store.delete('none') // the owner has the watcher now
  owner.set('k', 0)
  let last = (await first).value
  for (let i = 1; i <= 100; i++) {
    seen.push(last?.value)
    owner.set('k', i) // before it is acknowledged
    last = (await changes.next()).value
  }
  t.same([...seen, last?.value], [...Array(101).keys()])
  await changes.return()
})

t.test('a watcher hears of its prefix only, and is not woken by others', async (t) => {
  const { owner, store } = await publishedStore(t)
  const changes = store.changes('k/')
  const pending = changes.next()
  await store.delete('none') // the owner has the watcher now
  for (let i = 0; i < 100; i++) owner.set(`other/${i}`, i)
  owner.set('k', 1)
  owner.set('k/', 2)
  t.match((await pending).value, { key: 'k/', value: 2 })
  t.equal(owner.stats.watchers, 1)
  await changes.return()
  await store.delete('none')
  t.equal(owner.stats.watchers, 0)
})

t.test('many changes are told as the last of each key', async (t) => {
  const { owner, store } = await publishedStore(t)
  const last = new Map<string, unknown>()
  const follow = async () => {
    for await (const { key, value } of store.changes()) {
      last.set(key, value)
      if (key === 'end') return
    }
  }
  const loops = [follow(), follow(), follow()]
  for (let i = 0; i < 20_000; i++) {
    if (i % 3 === 0) owner.delete(`k${i % 50}`)
    else owner.set(`k${i % 50}`, i)
    if (i % 1000 === 0) await store.delete('none')
  }
  owner.set('end', 1)
  await Promise.all(loops)
  for (let i = 0; i < 50; i++) t.same(last.get(`k${i}`), owner.get(`k${i}`))
})

t.test('a prefix that is no string is refused at once', async (t) => {
  const { store } = await publishedStore(t)
  for (const prefix of [5, {}, Buffer.from('k')]) {
    t.throws(() => store.changes(prefix as never), { code: 'ERR_INVALID_ARG_TYPE', message: /prefix must be a string/ })
  }
  t.throws(() => store.changes(null as never), { code: 'ERR_NULL_POINTER' })
})

t.test('return() and abort end a loop quietly, a pending next() too', async (t) => {
  const { store } = await publishedStore(t)
  const returned = store.changes()
  const pending = [returned.next(), returned.next()]
  t.same(await returned.return(), done)
  t.same(await Promise.all(pending), [done, done])
  t.same(await returned.next(), done)
  const controller = new AbortController()
  const aborted = store.changes('', { signal: controller.signal })
  const waits = aborted.next()
  controller.abort()
  t.same(await waits, done)
  t.same(await store.changes('', { signal: controller.signal }).next(), done)
  const closed = store.changes()
  const ends = closed.next()
  await t.rejects(store.changes().throw(new Error('mine')), { message: 'mine' })
  store.close()
  t.same(await ends, done)
})

t.test('a loop goes on over a move, and hears of nothing that is the same', async (t) => {
  const { owner, store } = await publishedStore(t, { capacity: MIB, maxKeys: 64 })
  for (let i = 0; i < 50; i++) owner.set(`k${i}`, i)
  const changes = store.changes()
  const pending = changes.next()
  owner.resize({ capacity: 2 * MIB, maxKeys: 128 })
  await store.delete('none')
  owner.set('k7', 'new')
  t.match((await pending).value, { key: 'k7', value: 'new' })
  const next = changes.next()
  owner.delete('k8')
  t.match((await next).value, { key: 'k8', value: undefined })
  await changes.return()
})

t.test('too many watchers are an ERR_LIMIT of the loop that is one too many', async (t) => {
  const { store } = await publishedStore(t, { limits: { watchersOfPeer: 2 } })
  const loops = [store.changes(), store.changes(), store.changes()]
  const waits = loops.map((loop) => loop.next())
  const results = await Promise.race([Promise.allSettled([waits[2]])])
  t.match(results[0], {
    status: 'rejected',
    reason: { code: 'ERR_LIMIT', resource: 'watchers of a store of one peer' },
  })
  for (const loop of loops) await loop.return()
  t.same(await waits[0], done)
  const again = store.changes()
  const pending = again.next()
  await store.set('k', 1)
  t.match((await pending).value as StoreChange, { key: 'k' })
  await again.return()
})

t.test('loops of a store of this process hear too', async (t) => {
  const { owner, publisher } = await publishedStore(t)
  const { SharedStore } = await import('../../src/store/shared-store.ts')
  const store = await SharedStore.open('store', { manager: publisher })
  const changes = store.changes()
  const pending = changes.next()
  owner.set('k', 1)
  t.match((await pending).value, { key: 'k', value: 1 })
  store.close()
  t.same(await changes.next(), done)
})
