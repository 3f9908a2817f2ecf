/** What a user has of a store is counted for as long as he has it, however he comes by it and gets rid of it. */
import { areaTypes } from 'memfd-native'
import t, { type Test } from 'tap'
import { Binder, IStore, type OwnedStore, type OwnedStoreOptions } from '../../src/index.ts'
import { ANY_VERSION, NO_TTL } from '../../src/store/store-interface.ts'
import { leakChecked, MIB, ownedStore, sessionPair, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

const STRANGER = 4242
const { BYTES, JSON: JSON_TYPE } = areaTypes
const SHARE = 1_000_000
const [OLD, NEW] = [500_000, 900_000]

function strangers(t: Test, options: OwnedStoreOptions = {}) {
  const owner = ownedStore(t, { mayWrite: () => true, ...options })
  const connect = (uid = STRANGER) =>
    IStore.asInterface(sessionPair(t, owner.binder, { caller: { pid: 1, uid } }).proxy) as Store
  return { owner, connect, store: connect() }
}

type Store = NonNullable<ReturnType<typeof IStore.asInterface>>
interface Scene {
  readonly owner: OwnedStore
  readonly store: Store
  readonly connect: (uid?: number) => Store
}

const set = (store: Store, key: string, bytes: number, ttl = NO_TTL) =>
  store.set(key, BYTES, Buffer.alloc(bytes), ANY_VERSION, ttl)
const edit = (bytes: number | null) => ({
  key: 'k',
  type: bytes === null ? areaTypes.DELETED : BYTES,
  bytes: Buffer.alloc(bytes ?? 0),
  ifVersion: ANY_VERSION,
})

/** Each way in which a value goes that an upload was to replace, and what of it is left to its user. */
const WAYS: Record<string, { go: (scene: Scene) => unknown; left: number }> = {
  'is deleted': { go: ({ store }) => store.delete('k', ANY_VERSION), left: 0 },
  'is deleted with others': { go: ({ store }) => store.update([edit(null)]), left: 0 },
  'is replaced by a smaller one': { go: ({ store }) => set(store, 'k', 10), left: 10 },
  'is replaced by a smaller one with others': { go: ({ store }) => store.update([edit(10)]), left: 10 },
  'shrinks twice': { go: async ({ store }) => [await set(store, 'k', 1000), await set(store, 'k', 10)], left: 10 },
  'grows and shrinks': {
    go: async ({ store }) => [await set(store, 'k', 550_000), await set(store, 'k', 10)],
    left: 10,
  },
  'is written by the owner': { go: ({ owner }) => owner.set('k', 1), left: 0 },
  'is deleted by the owner': { go: ({ owner }) => owner.delete('k'), left: 0 },
  'is written by another user': { go: ({ connect }) => set(connect(STRANGER + 1), 'k', 10), left: 0 },
  'goes away and is put again': {
    go: async ({ store }) => [await store.delete('k', ANY_VERSION), await set(store, 'k', 10)],
    left: 10,
  },
}

for (const [way, { go, left }] of Object.entries(WAYS)) {
  t.test(`an upload is counted whole when the value that it was to replace ${way}`, async (t) => {
    const limits = { bytesOfUser: SHARE, keysOfUser: 10 }
    const scene = strangers(t, { capacity: 16 * MIB, limits })
    const { owner, store } = scene
    await set(store, 'k', OLD)
    const id = await store.begin(new Binder(), 'k', BYTES, BigInt(NEW))
    t.match(owner.used, { bytes: NEW, keys: 1 }, 'what it adds')
    await go(scene)
    const others = way === 'is written by another user' ? 10 : 0
    t.ok((owner.used.bytes ?? 0) >= NEW + others, 'all of it')
    await t.rejects(async () => set(store, 'more', SHARE - NEW + 1), {
      code: 'ERR_LIMIT',
      resource: 'bytes of one user',
    })
    await t.rejects(async () => store.begin(new Binder(), 'more', BYTES, BigInt(SHARE - NEW + 1)), {
      code: 'ERR_LIMIT',
      resource: 'bytes of one user',
    })
    await store.abort(id)
    t.match(owner.used, { bytes: left + others, uploads: 0 })
    await store.delete('k', ANY_VERSION)
    t.match(owner.used, { bytes: 0, keys: 0, uploads: 0 }, 'and nothing is left')
    await set(store, 'k', SHARE)
  })
}

t.test('a user who has more than a limit that was lowered can give it back, and replace what he has', async (t) => {
  const { owner, store } = strangers(t, { limits: { keysOfUser: 10, bytesOfUser: SHARE } })
  for (const key of ['a', 'b', 'c']) await set(store, key, 1000)
  owner.set('mine', 1)
  owner.setLimits({ keysOfUser: 1, bytesOfUser: 500 })
  await set(store, 'a', 1000)
  await set(store, 'b', 10)
  await t.rejects(async () => set(store, 'a', 1001), { code: 'ERR_LIMIT', resource: 'bytes of one user' })
  await t.rejects(async () => set(store, 'd', 0), { code: 'ERR_LIMIT', resource: 'keys of one user' })
  t.match(await store.delete('absent', ANY_VERSION), { version: 0n })
  for (const key of ['a', 'mine']) t.not((await store.delete(key, ANY_VERSION)).version, 0n, key)
  await store.update([{ ...edit(null), key: 'b' }])
  t.match(owner.used, { keys: 1, bytes: 1000 })
})

t.test('what a transaction deletes makes room for what it adds', async (t) => {
  const { owner, store } = strangers(t, { limits: { keysOfUser: 3, bytesOfUser: 10_000 } })
  for (const key of ['a', 'b', 'c']) await set(store, key, 3000)
  await store.update([
    { ...edit(null), key: 'a' },
    { ...edit(4000), key: 'd' },
  ])
  t.match(owner.used, { keys: 3, bytes: 10_000 })
  const over = { code: 'ERR_LIMIT', resource: 'bytes of one user' }
  await t.rejects(
    async () =>
      store.update([
        { ...edit(null), key: 'b' },
        { ...edit(3001), key: 'e' },
      ]),
    over,
  )
  await t.rejects(async () => store.update([{ ...edit(0), key: 'e' }]), {
    code: 'ERR_LIMIT',
    resource: 'keys of one user',
  })
  const id = await store.begin(new Binder(), 'b', BYTES, 3000n)
  await t.rejects(
    async () =>
      store.update([
        { ...edit(null), key: 'b' },
        { ...edit(0), key: 'e' },
      ]),
    {
      code: 'ERR_LIMIT',
      resource: 'keys of one user',
    },
  )
  await store.abort(id)
  await store.update(['b', 'c', 'd'].map((key) => ({ ...edit(null), key })))
  t.match(owner.used, { keys: 0, bytes: 0, uploads: 0 })
})

t.test('uploads for one key after another hold no more than the share', async (t) => {
  const { owner, store } = strangers(t, { capacity: 16 * MIB, limits: { bytesOfUser: SHARE } })
  const reserved: number[] = []
  await t.rejects(
    async () => {
      for (let i = 0; i < 4; i++) {
        await set(store, `k${i}`, NEW)
        reserved.push(await store.begin(new Binder(), `k${i}`, BYTES, BigInt(NEW)))
        await store.delete(`k${i}`, ANY_VERSION)
      }
    },
    { code: 'ERR_LIMIT', resource: 'bytes of one user' },
  )
  t.equal(reserved.length, 1)
  t.match(owner.used, { bytes: NEW, uploads: 1 })
})

t.test('an upload that is committed after its value went counts as what it is', async (t) => {
  const { owner, store } = strangers(t, { capacity: 16 * MIB, limits: { bytesOfUser: SHARE } })
  await set(store, 'k', OLD)
  const id = await store.begin(new Binder(), 'k', BYTES, BigInt(NEW))
  await store.delete('k', ANY_VERSION)
  await store.part(id, 0n, Buffer.alloc(NEW))
  await store.commit(id, ANY_VERSION, NO_TTL)
  t.match(owner.used, { bytes: NEW, keys: 1, uploads: 0 })
  await store.delete('k', ANY_VERSION)
  t.match(owner.used, { bytes: 0, keys: 0, uploads: 0 })
})

t.test('a value that is longer than any number is refused without decoding it', async (t) => {
  const { owner, store } = strangers(t)
  for (const [key, text] of [
    ['spaces', `1${' '.repeat(2000)}`],
    ['arrays', `[${'[],'.repeat(200_000)}0]`],
    ['no json', '['.repeat(500_000)],
  ] as const) {
    await store.set(key, JSON_TYPE, Buffer.from(text), ANY_VERSION, NO_TTL)
    await t.rejects(async () => store.increment(key, 1, NO_TTL), { code: 'ERR_INVALID_ARG_VALUE' }, key)
    t.throws(() => owner.increment(key), { code: 'ERR_INVALID_ARG_VALUE' }, key)
  }
  await store.set('long', JSON_TYPE, Buffer.from(`1${' '.repeat(1000)}`), ANY_VERSION, NO_TTL)
  t.equal(await store.increment('long', 1, NO_TTL), 2)
})

t.test('keys that expire at the same moment are deleted in several turns of the event loop', async (t) => {
  const KEYS = 1000
  const { owner, store } = strangers(t)
  for (let i = 0; i < KEYS; i++) owner.set(`k${i}`, i, { ttlMs: 1 })
  const over = performance.now() + 5
  while (performance.now() < over) {
    // all of them are due
  }
  const awake = setInterval(() => undefined, 1000)
  let [before, most] = [KEYS, 0]
  while (before > 0) {
    await new Promise(setImmediate)
    const { keys } = owner.stats
    most = Math.max(most, before - keys)
    before = keys
  }
  clearInterval(awake)
  t.ok(most <= 128, `${most} in a turn`)
  await set(store, 'k0', 1, 5)
  owner.set('stays', 1)
  while (owner.stats.keys > 1) await new Promise((resolve) => setTimeout(resolve, 1))
  t.same(owner.keys(), ['stays'])
})
