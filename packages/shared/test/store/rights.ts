/** Who may read what of a store, and how that changes under its readers. */
import { areaTypes } from 'memfd-native'
import t, { type Test } from 'tap'
import { Binder, IStore, type OwnedStore, type OwnedStoreOptions } from '../../src/index.ts'
import { ANY_VERSION, NO_TTL } from '../../src/store/store-interface.ts'
import * as support from '../../test-support/index.ts'

const { leakChecked, MIB, outcome: codeOf, ownedStore, publishedStore, sessionPair, watchdog } = support
leakChecked(t)
watchdog(t)

const ONE = 4242
const OTHER = 4243
const only =
  (...uids: number[]) =>
  ({ uid }: { uid: number }) =>
    uids.includes(uid)

class Counting extends Binder {
  count = 0
  override onTransact(): boolean {
    this.count += 1
    return true
  }
}

function connected(t: Test, options: OwnedStoreOptions) {
  const owner = ownedStore(t, { mayWrite: () => true, ...options })
  const connect = (uid: number) => IStore.asInterface(sessionPair(t, owner.binder, { caller: { pid: 1, uid } }).proxy)
  return { owner, connect }
}

function versionsOf(owner: OwnedStore, keys: readonly string[]): Map<string, bigint> {
  return new Map(keys.map((key) => [key, versionOf(owner, key)]))
}

/** Asked by a condition that no version meets. */
function versionOf(owner: OwnedStore, key: string): bigint {
  try {
    owner.delete(key, { ifVersion: 1n })
  } catch (error) {
    return (error as { version: bigint }).version
  }
  return 0n
}

t.test('keys go to other areas with their versions, and no version is given twice', async (t) => {
  const store = ownedStore(t, { areas: [{ keys: ['a/*'] }, { keys: ['b/*'] }, { keys: ['*'] }] })
  const keys = ['a/1', 'a/2', 'b/1', 'b/2', 'c']
  for (const key of keys) store.set(key, key)
  const given = new Set(versionsOf(store, keys).values())
  for (const patterns of [[['*']], [['b/1'], ['a/1', '*']], [['c'], ['a/*'], ['b/1'], ['*']], [['b/*'], ['*']]]) {
    const before = versionsOf(store, keys)
    store.setAreas(patterns.map((keys) => ({ keys })))
    t.same(store.keys(), keys)
    t.same(versionsOf(store, keys), before)
    for (const key of keys) {
      t.equal(store.get(key), key)
      const version = store.set(key, key)
      t.ok(version > (before.get(key) ?? 0n) && !given.has(version))
      given.add(version)
    }
  }
  t.ok([...given].every((version) => version < 2n ** 63n))
})

t.test('areas that cannot have all keys are refused, and nothing has changed', async (t) => {
  const store = ownedStore(t, { capacity: MIB, maxKeys: 64, areas: [{ keys: ['a'] }, { keys: ['*'] }] })
  store.set('a', Buffer.alloc(500_000))
  const version = store.set('b', Buffer.alloc(500_000))
  t.equal(
    codeOf(() => store.setAreas([{ keys: ['a'] }])),
    'ERR_INVALID_ARG_VALUE',
  )
  t.equal(
    codeOf(() => store.setAreas([{ keys: ['*'] }])),
    'ERR_LIMIT',
  )
  t.equal(
    codeOf(() => store.setAreas([])),
    'ERR_INVALID_ARG_VALUE',
  )
  t.equal(versionOf(store, 'b'), version)
  store.set('a', 1, { ifVersion: versionOf(store, 'a') })
  t.equal(store.get('a'), 1)
})

t.test('keys go to other areas in turns of the event loop, and what changes meanwhile goes with them', async (t) => {
  const store = ownedStore(t, { areas: [{ keys: ['a*'] }, { keys: ['*'] }] })
  const names = ['a', 'b', 'c'].flatMap((letter) => Array.from({ length: 1000 }, (_, i) => `${letter}${i}`))
  const model = new Map<string, { value: unknown; version: bigint }>()
  const given = new Set<bigint>()
  const set = (key: string, value: string | number) => {
    const version = store.set(key, value)
    t.notOk(given.has(version))
    given.add(version)
    model.set(key, { value, version })
  }
  const remove = (key: string) => t.equal(store.delete(key), model.delete(key))
  for (const key of names) set(key, key)
  for (const patterns of [[['*']], [['b*'], ['a*'], ['*']], [['a*'], ['*']]]) {
    const before = store.areas
    let isDone = false
    const rearranging = store.setAreasInTurns(patterns.map((keys) => ({ keys }))).finally(() => {
      isDone = true
    })
    let turns = 0
    for (; !isDone; turns++) {
      t.equal(store.areas, before)
      set(names[(turns * 997) % names.length] as string, turns)
      remove(names[(turns * 991) % names.length] as string)
      set(`new${turns}`, turns)
      if (turns % 2 === 1) remove(`new${turns - 1}`)
      await new Promise(setImmediate)
    }
    await rearranging
    t.ok(turns > 0)
    t.equal(store.areas, patterns.length)
    t.same(store.keys(), [...model.keys()].sort())
    for (const [key, { value, version }] of model) {
      if (store.get(key) !== value || versionOf(store, key) !== version) t.fail(`${key} is not as it was written last`)
    }
  }
})

t.test('the last writes before the areas change are in the new areas, and deleted keys are gone', async (t) => {
  const store = ownedStore(t)
  const keys = Array.from({ length: 3000 }, (_, i) => `k${i}`)
  for (const key of keys) store.set(key, 0)
  const rearranging = store.setAreasInTurns([{ keys: ['k1*'] }, { keys: ['*'] }])
  // The first part has been copied.
  for (const key of keys) store.delete(key)
  const versions = new Map(keys.slice(0, 1500).map((key) => [key, store.set(key, key)]))
  await rearranging
  t.same(store.keys(), [...versions.keys()].sort())
  for (const [key, version] of versions) {
    t.equal(store.get(key), key)
    t.equal(versionOf(store, key), version)
  }
})

t.test('areas that are to change are as they were where they cannot, and when something comes between', async (t) => {
  const { owner } = connected(t, { capacity: MIB, maxKeys: 64, areas: [{ keys: ['a'] }, { keys: ['*'] }] })
  owner.set('a', Buffer.alloc(500_000))
  owner.set('b', Buffer.alloc(500_000))
  await t.rejects(owner.setAreasInTurns([{ keys: ['*'] }]), { code: 'ERR_LIMIT' })
  await t.rejects(owner.setAreasInTurns([{ keys: ['a'] }]), { code: 'ERR_INVALID_ARG_VALUE' })
  await t.rejects(owner.setAreasInTurns([]), { code: 'ERR_INVALID_ARG_VALUE' })
  t.equal(owner.areas, 2)
  owner.set('a', 1)
  owner.resize({ maxKeys: 10_000, capacity: 4 * MIB })
  owner.update(Array.from({ length: 200 }, (_, i) => ({ key: `k${i}`, value: i })))
  const all = [{ keys: ['*'] }]
  const moved = owner.setAreasInTurns(all)
  owner.resize({ capacity: 8 * MIB })
  await moved
  t.same([owner.areas, owner.areaSize.capacity, owner.get('k7')], [1, 8 * MIB, 7])
  for (let i = 0; i < 9000; i++) owner.set(`many${i}`, i)
  const overtaken = owner.setAreasInTurns([{ keys: ['k*'] }, { keys: ['*'] }])
  owner.setAreas([{ keys: ['m*'] }, { keys: ['k*'] }, { keys: ['*'] }])
  await t.rejects(overtaken, { code: 'ERR_ILLEGAL_STATE' })
  t.equal(owner.areas, 3)
  const closed = owner.setAreasInTurns(all)
  owner.close()
  await t.rejects(closed, { code: 'ERR_CLOSED' })
})

t.test('mayRead that does not return a boolean allows nothing', async (t) => {
  for (const mayRead of [async () => true, () => undefined, () => null, () => 1, () => 'yes', () => ({})]) {
    const { owner, store } = await publishedStore(t, { areas: [{ keys: ['secret'], mayRead: mayRead as never }] })
    owner.set('secret', 1)
    t.same([store.get('secret'), store.keys()], [undefined, []], `${mayRead}`)
  }
})

t.test('a user who loses the right to read sees nothing new from that moment on', async (t) => {
  let isAllowed = true
  const secret = { keys: ['secret/*'], mayRead: () => isAllowed }
  const { owner, store } = await publishedStore(t, { areas: [secret, { keys: ['*'] }] })
  owner.set('secret/k', 1)
  owner.set('k', 1)
  t.same([store.get('secret/k'), store.get('k')], [1, 1])
  isAllowed = false
  owner.setAreas([{ ...secret, mayRead: () => isAllowed }, { keys: ['*'] }])
  owner.set('secret/k', 2)
  t.not(store.get('secret/k'), 2)
  await store.set('k', 2)
  t.same([store.get('secret/k'), store.has('secret/k'), store.get('k')], [undefined, false, 2])
  t.same(store.keys(), ['k'])
  isAllowed = true
  await owner.setAreasInTurns([{ ...secret, mayRead: () => isAllowed }, { keys: ['*'] }])
  await store.set('k', 3)
  t.same([store.get('secret/k'), store.get('k')], [2, 3])
})

t.test('a user who loses the right to write while his values come leaves nothing behind', async (t) => {
  const begun = new Set<string>()
  const mayWrite = (_caller: unknown, key: string) => key === 'k' || begun.size !== begun.add(key).size
  const { owner, store } = await publishedStore(t, { mayWrite })
  for (let i = 0; i < 8; i++) {
    await t.rejects(store.set(`k${i}`, Buffer.alloc(200_000)), { code: 'ERR_SECURITY' })
    t.match(owner.used, { keys: 0, bytes: 0, uploads: 0 })
  }
  t.ok((await store.set('k', Buffer.alloc(200_000))) > 0n)
  t.equal(owner.stats.keys, 1)
})

t.test('an area whose keys and readers stay is not moved, nor its uploads lost', async (t) => {
  const all = { keys: ['*'] }
  const { owner, connect } = connected(t, { areas: [{ keys: ['s/*'], mayRead: only(ONE) }, all] })
  const store = connect(ONE)
  const [holder, bytes] = [new Binder(), Buffer.alloc(10, 7)]
  const [stays, goes] = [await store.begin(holder, 'k', areaTypes.BYTES, 10n), await store.begin(holder, 's/k', 1, 10n)]
  const { usedBytes } = owner.stats
  owner.setAreas([{ keys: ['s/*'], mayRead: only(OTHER) }, all])
  await store.part(stays, 0n, bytes)
  await store.commit(stays, ANY_VERSION, NO_TTL)
  await t.rejects(async () => store.part(goes, 0n, bytes), { code: 'ERR_ILLEGAL_STATE' })
  t.ok(owner.stats.usedBytes < usedBytes)
  t.match(owner.used, { uploads: 0, bytes: 10, keys: 1 })
})

t.test('a watcher is not told of keys that its user may not read', async (t) => {
  const areas = (uid: number) => [{ keys: ['s/*'], mayRead: only(uid) }, { keys: ['*'] }]
  const { owner, connect } = connected(t, { areas: areas(ONE) })
  const watchers = await Promise.all(
    [ONE, OTHER].map(async (uid) => {
      const [store, callback] = [connect(uid), new Counting()]
      await store.watch(callback, 's')
      const sync = async () => {
        await store.delete('none', ANY_VERSION)
        const { count } = callback
        callback.count = 0
        if (count > 0) await store.acknowledge(callback)
        await store.delete('none', ANY_VERSION)
        return count
      }
      return { store, sync }
    }),
  )
  const heard = () => Promise.all(watchers.map(({ sync }) => sync()))
  owner.set('s/k', 1)
  t.same(await heard(), [1, 0])
  owner.set('s', 1) // in the area that all read
  t.same(await heard(), [1, 1])
  owner.setAreas(areas(OTHER))
  owner.set('s/k', 2)
  t.same(await heard(), [0, 1])
})

t.test('keys that were changed together come apart as often as anybody likes', async (t) => {
  const store = ownedStore(t, { capacity: MIB, maxKeys: 64 })
  const keys = ['a', 'b', 'still']
  const still = store.set('still', 'still')
  const given = new Set<bigint>([still])
  let last = 0n
  const one = [{ keys: ['*'] }]
  const two = [{ keys: ['a'] }, { keys: ['*'] }]
  const three = [{ keys: ['still'] }, { keys: ['b'] }, { keys: ['*'] }]
  for (let i = 0; i < 3000; i++) {
    const areas = [two, one, three][i % 3] as typeof one
    if (i % 10 === 0) await store.setAreasInTurns(areas)
    else store.setAreas(areas)
    for (const key of ['a', 'b']) {
      const before = versionOf(store, key)
      const version = store.set(key, i)
      if (version <= before || given.has(version)) t.fail(`${version} after ${before}`)
      given.add(version)
      if (areas === one && version <= last) t.fail('in one area versions rise')
      last = version
    }
  }
  t.equal(given.size, 6001)
  t.equal(versionOf(store, 'still'), still)
  t.same(store.keys(), keys)
  t.ok(last < 2n ** 63n)
})
