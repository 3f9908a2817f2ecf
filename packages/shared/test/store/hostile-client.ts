/** Clients of another user, who ask for more than their share, for what is not theirs, and for what makes no sense. */
import { AreaReader, areaTypes } from 'memfd-native'
import t, { type Test } from 'tap'
import { Binder, IStore, type OwnedStoreOptions, Parcel } from '../../src/index.ts'
import { ANY_VERSION, type HandedArea, NO_TTL } from '../../src/store/store-interface.ts'
import { leakChecked, MIB, nodeTest, ownedStore, sessionPair, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

const STRANGER = 4242
const { BYTES, JSON: JSON_TYPE } = areaTypes

/** A store, and a client of it who is somebody else. */
function strangers(t: Test, options: OwnedStoreOptions = {}) {
  const owner = ownedStore(t, { mayWrite: () => true, ...options })
  const connect = (uid = STRANGER) => {
    const pair = sessionPair(t, owner.binder, { caller: { pid: 1, uid } })
    return { ...pair, store: IStore.asInterface(pair.proxy) }
  }
  return { owner, connect, ...connect() }
}

function closeAll(areas: readonly HandedArea[]): void {
  for (const { descriptor } of areas) descriptor.close()
}

t.test('only the user of the owner and root may write, unless the owner says otherwise', async (t) => {
  const owner = ownedStore(t)
  const storeOf = (uid: number) => IStore.asInterface(sessionPair(t, owner.binder, { caller: { pid: 1, uid } }).proxy)
  const set = (uid: number) => storeOf(uid).set('k', BYTES, Buffer.from('x'), ANY_VERSION, NO_TTL)
  await set(process.getuid?.() ?? 0)
  await set(0)
  await t.rejects(async () => set(STRANGER), { code: 'ERR_SECURITY' })
  const stranger = storeOf(STRANGER)
  await t.rejects(async () => stranger.delete('k', ANY_VERSION), { code: 'ERR_SECURITY' })
  await t.rejects(async () => stranger.increment('n', 1, NO_TTL), { code: 'ERR_SECURITY' })
  await t.rejects(async () => stranger.begin(new Binder(), 'k', BYTES, 10n), { code: 'ERR_SECURITY' })
  const edit = { key: 'k', type: BYTES, bytes: Buffer.from('y'), ifVersion: ANY_VERSION }
  await t.rejects(async () => stranger.update([edit]), { code: 'ERR_SECURITY' })
  closeAll(await stranger.open(null))
})

t.test('the caller is asked for each key, and who may not read an area does not get it', async (t) => {
  const asked: unknown[] = []
  const { owner, store, connect } = strangers(t, {
    mayWrite: (caller, key) => asked.push([caller, key]) > 0,
    areas: [{ keys: ['secret/*'], mayRead: ({ uid }) => uid === 7 }, { keys: ['*'] }],
  })
  await store.set('secret/k', BYTES, Buffer.from('x'), ANY_VERSION, NO_TTL)
  t.same(asked, [[{ uid: STRANGER, pid: 1 }, 'secret/k']])
  const mine = await store.open(null)
  t.same(
    mine.map(({ patterns }) => patterns),
    [['*']],
  )
  const theirs = await connect(7).store.open(null)
  t.same(
    theirs.map(({ patterns }) => patterns),
    [['secret/*'], ['*']],
  )
  const reader = AreaReader.attach(theirs[0]?.descriptor.getFd() ?? -1)
  t.same(reader.keys(), ['secret/k'])
  reader.close()
  closeAll([...mine, ...theirs])
  t.equal(owner.stats.keys, 1)
})

t.test('far too many edits are refused before they are read', async (t) => {
  const { proxy, owner } = strangers(t)
  for (const [count, code] of [
    [4096, 'ERR_BAD_PARCEL'], // they are read, and are none
    [4097, 'ERR_LIMIT'],
    [40_000, 'ERR_LIMIT'],
  ] as const) {
    using data = Parcel.obtain()
    using reply = Parcel.obtain()
    data.writeInterfaceToken(IStore.DESCRIPTOR)
    data.writeInt(count)
    data.setDataSize(data.dataSize() + 24 * count)
    data.setDataPosition(data.dataSize() - 24 * count)
    for (let i = 0; i < 6 * count; i++) data.writeInt(-1)
    await t.rejects(
      async () => {
        await proxy.transact(IStore.TRANSACTION_update, data, reply)
        reply.readException()
      },
      { code },
      `${count}`,
    )
  }
  t.equal(owner.stats.keys, 0)
})

t.test('a user has so many keys and bytes, gets them back, and takes none of others', async (t) => {
  const { owner, store, connect } = strangers(t, { limits: { keysOfUser: 3, bytesOfUser: 10_000 } })
  const set = (key: string, bytes: number) => store.set(key, BYTES, Buffer.alloc(bytes), ANY_VERSION, NO_TTL)
  await Promise.all(['a', 'b', 'c'].map((key) => set(key, 10)))
  await t.rejects(async () => set('d', 10), { code: 'ERR_LIMIT', resource: 'keys of one user', limit: 3 })
  await set('a', 20)
  await store.delete('a', ANY_VERSION)
  await t.rejects(async () => set('d', 10_000), { code: 'ERR_LIMIT', resource: 'bytes of one user', limit: 10_000 })
  await set('d', 5000)
  await set('d', 5500)
  await t.rejects(async () => set('b', 5000), { code: 'ERR_LIMIT', resource: 'bytes of one user' })
  const edits = ['x', 'y'].map((key) => ({ key, type: BYTES, bytes: Buffer.alloc(1), ifVersion: ANY_VERSION }))
  await t.rejects(async () => store.update(edits), { code: 'ERR_LIMIT', resource: 'keys of one user' })
  owner.set('d', 1) // now it is the owner's
  await set('e', 5500)
  const other = connect(STRANGER + 1)
  await other.store.set('e', BYTES, Buffer.alloc(5000), ANY_VERSION, NO_TTL)
  await set('f', 5500)
  owner.delete('f')
  await set('f', 5500)
  await other.store.increment('n', 1, NO_TTL)
  t.same(owner.keys(), ['b', 'c', 'd', 'e', 'f', 'n'])
})

t.test('a value as large as the share is not too large, also when it takes the place of another', async (t) => {
  const { owner, store } = strangers(t, { capacity: 16 * MIB, limits: { bytesOfUser: 4 * MIB } })
  const holder = new Binder()
  const send = async (bytes: number) => {
    const id = await store.begin(holder, 'k', BYTES, BigInt(bytes))
    for (let at = 0; at < bytes; at += 60_000)
      await store.part(id, BigInt(at), Buffer.alloc(Math.min(60_000, bytes - at)))
    return store.commit(id, ANY_VERSION, NO_TTL)
  }
  for (let round = 0; round < 2; round++) {
    t.match(await send(4 * MIB), { isConflict: false })
    t.match(owner.used, { keys: 1, bytes: 4 * MIB, uploads: 0 })
  }
  await t.rejects(send(4 * MIB + 1), { code: 'ERR_LIMIT', resource: 'bytes of one user' })
  const replacing = await store.begin(holder, 'k', BYTES, 1n)
  // What is to be replaced counts once: the second upload for the same key is one more.
  await t.rejects(async () => store.begin(holder, 'k', BYTES, 1n), { code: 'ERR_LIMIT', resource: 'bytes of one user' })
  await store.abort(replacing)
  await store.delete('k', ANY_VERSION)
  t.match(owner.used, { keys: 0, bytes: 0, uploads: 0 })
})

t.test('uploads of one user leave some to others', async (t) => {
  const { store, connect } = strangers(t, { limits: { uploads: 3, uploadsOfUser: 2 } })
  const begin = (client: typeof store) => client.begin(new Binder(), 'k', BYTES, 1n)
  await begin(store)
  await begin(connect().store)
  await t.rejects(async () => begin(connect().store), { code: 'ERR_LIMIT', resource: 'uploads of one user', limit: 2 })
  await begin(connect(STRANGER + 1).store)
})

t.test('uploads of one peer are those of its channel, whatever objects they end with', async (t) => {
  const { store, connect } = strangers(t, { limits: { uploads: 9, uploadsOfUser: 8, uploadsOfPeer: 2 } })
  for (let i = 0; i < 2; i++) await store.begin(new Binder(), `k${i}`, BYTES, 1n)
  await t.rejects(async () => store.begin(new Binder(), 'k', BYTES, 1n), {
    code: 'ERR_LIMIT',
    resource: 'uploads of one peer',
    limit: 2,
  })
  await connect().store.begin(new Binder(), 'k', BYTES, 1n)
})

t.test('something that is not a list of edits is refused before it is sent', async (t) => {
  const { owner, store } = strangers(t)
  for (const edits of [null, undefined, 7, 'edits', { length: 1 }, new Set(), [null], [7], ['edit']]) {
    await t.rejects(async () => store.update(edits as never), { code: /ERR_INVALID_ARG_TYPE|ERR_NULL_POINTER/ })
  }
  t.equal(owner.stats.keys, 0)
})

t.test('uploads are counted and charged before they exist, and given back', async (t) => {
  const { owner, store, connect } = strangers(t, { limits: { uploads: 3, uploadsOfPeer: 2, bytesOfUser: 100_000 } })
  const holder = new Binder()
  const begin = (bytes: number) => store.begin(holder, 'k', BYTES, BigInt(bytes))
  await t.rejects(async () => begin(200_000), { code: 'ERR_LIMIT', resource: 'bytes of one user' })
  const [first, second] = [await begin(40_000), await begin(40_000)]
  await t.rejects(async () => begin(1), { code: 'ERR_LIMIT', resource: 'uploads of one peer', limit: 2 })
  const other = connect(STRANGER + 1)
  const third = await other.store.begin(new Binder(), 'o', BYTES, 1n)
  await t.rejects(async () => connect(STRANGER + 2).store.begin(new Binder(), 'p', BYTES, 1n), {
    code: 'ERR_LIMIT',
    resource: 'uploads',
  })
  await t.rejects(async () => other.store.part(first, 0n, Buffer.alloc(1)), { code: 'ERR_ILLEGAL_STATE' })
  await t.rejects(async () => other.store.commit(first, ANY_VERSION, NO_TTL), { code: 'ERR_ILLEGAL_STATE' })
  await store.abort(first)
  await t.rejects(async () => store.abort(first), { code: 'ERR_ILLEGAL_STATE' })
  await t.rejects(
    async () => store.commit(second, ANY_VERSION, NO_TTL),
    { code: 'ERR_ILLEGAL_STATE' },
    'parts are missing',
  )
  await store.part(second, 0n, Buffer.alloc(30_000, 1))
  for (const [position, bytes] of [
    [0n, 1],
    [30_001n, 1],
    [-1n, 1],
    [30_000n, 10_001],
    [2n ** 62n, 1],
  ] as const) {
    await t.rejects(async () => store.part(second, position, Buffer.alloc(bytes)), { code: 'ERR_INVALID_ARG_VALUE' })
  }
  await store.part(second, 30_000n, Buffer.alloc(10_000, 2))
  t.match(await store.commit(second, ANY_VERSION, NO_TTL), { isConflict: false })
  t.equal((owner.get('k') as Uint8Array)[35_000], 2)
  await store.begin(holder, 'k', BYTES, 30_000n)
  await other.store.abort(third)
})

t.test("the number of an upload may be its sender's choice, if it is negative and no other's", async (t) => {
  const { owner, store, connect } = strangers(t)
  const begin = (id: number, of = store) => of.beginAs(new Binder(), 'k', BYTES, 4n, id)
  for (const id of [0, 1, 2 ** 31 - 1]) {
    await t.rejects(async () => begin(id), { code: 'ERR_INVALID_ARG_VALUE' })
  }
  t.equal(owner.used.uploads, 0)
  await begin(-5)
  await t.rejects(async () => begin(-5), { code: 'ERR_INVALID_ARG_VALUE' })
  const other = connect(STRANGER + 1)
  await t.rejects(async () => begin(-5, other.store), { code: 'ERR_INVALID_ARG_VALUE' })
  t.equal(owner.used.uploads, 1)
  await t.rejects(async () => other.store.part(-5, 0n, Buffer.from('evil')), { code: 'ERR_ILLEGAL_STATE' })
  await t.rejects(async () => other.store.abort(-5), { code: 'ERR_ILLEGAL_STATE' })
  await store.part(-5, 0n, Buffer.from('text'))
  await store.commit(-5, ANY_VERSION, NO_TTL)
  t.strictSame(owner.get('k'), new Uint8Array(Buffer.from('text')))
  await begin(-5)
  await begin(-(2 ** 31))
  await store.abort(-5)
  await store.abort(-(2 ** 31))
  t.match(owner.used, { uploads: 0, bytes: 4 })
})

t.test('parts that nobody answers go where they belong, and are nothing where they do not', async (t) => {
  const { owner, store, proxy } = strangers(t)
  const tell = (id: number, position: bigint, bytes: Buffer): Promise<boolean> => {
    const data = Parcel.obtain()
    data.writeInterfaceToken(IStore.DESCRIPTOR)
    data.writeInt(id)
    data.writeLong(position)
    data.writeByteArray(bytes)
    return proxy.transact(IStore.TRANSACTION_part, data, null, Binder.FLAG_ONEWAY).finally(() => data.recycle())
  }
  const half = (fill: number) => Buffer.alloc(60_000, fill)
  await tell(-9, 0n, half(7))
  await store.beginAs(new Binder(), 'k', BYTES, 120_000n, -9)
  for (const [id, position] of [
    [-8, 0n],
    [-9, 60_000n],
    [-9, -1n],
    [1, 0n],
  ] as const)
    await tell(id, position, half(8))
  await t.rejects(async () => store.commit(-9, ANY_VERSION, NO_TTL), { code: 'ERR_ILLEGAL_STATE' }, 'nothing has come')
  await tell(-9, 0n, half(1))
  await tell(-9, 60_000n, half(2))
  await tell(-9, 120_000n, half(3))
  t.match(await store.commit(-9, ANY_VERSION, NO_TTL), { isConflict: false })
  t.ok(Buffer.concat([half(1), half(2)]).equals(Buffer.from(owner.get('k') as Uint8Array)))
  t.equal(owner.used.uploads, 0)
})

t.test('an upload ends with the channel of whoever began it, and its bytes are free again', async (t) => {
  const { owner, connect } = strangers(t)
  const { usedBytes } = owner.stats
  for (let round = 0; round < 20; round++) {
    const { store, client, server } = connect()
    const id = await store.begin(new Binder(), 'k', BYTES, 2n * BigInt(MIB))
    await store.part(id, 0n, Buffer.alloc(60_000, 1))
    t.ok(owner.stats.usedBytes > usedBytes + 2 * MIB)
    client.close()
    while (!server.isEnded) await new Promise(setImmediate)
    t.equal(owner.stats.usedBytes, usedBytes)
  }
})

t.test('an upload from which nothing comes is given up', async (t) => {
  const { owner, store } = strangers(t, { limits: { uploadPause: 20 } })
  const { usedBytes } = owner.stats
  const id = await store.begin(new Binder(), 'k', BYTES, 100_000n)
  const awake = setInterval(() => undefined, 1000)
  while (owner.stats.usedBytes !== usedBytes) await new Promise((resolve) => setTimeout(resolve, 1))
  clearInterval(awake)
  await t.rejects(async () => store.part(id, 0n, Buffer.alloc(1)), { code: 'ERR_ILLEGAL_STATE' })
})

t.test('an upload of which something has come goes on, however often it is looked at', async (t) => {
  const { owner, store } = strangers(t, { limits: { uploadPause: 1_000_000 } })
  nodeTest.mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => nodeTest.mock.timers.reset())
  const id = await store.begin(new Binder(), 'k', BYTES, 4n)
  for (let look = 0; look < 3; look++) nodeTest.mock.timers.tick(250_000)
  await store.part(id, 0n, Buffer.from('text'))
  await store.commit(id, ANY_VERSION, NO_TTL)
  t.strictSame(owner.get('k'), new Uint8Array(Buffer.from('text')))
})

t.test('nonsense is refused, and the channel stays open', async (t) => {
  const { owner, store } = strangers(t)
  const set = store.set.bind(store)
  for (const key of ['', 'a\nb', 'k'.repeat(513), '\ud800']) {
    await t.rejects(async () => set(key, BYTES, Buffer.alloc(1), ANY_VERSION, NO_TTL), {
      code: 'ERR_INVALID_ARG_VALUE',
    })
  }
  await t.rejects(async () => set(null as never, BYTES, Buffer.alloc(1), ANY_VERSION, NO_TTL), {
    code: 'ERR_NULL_POINTER',
  })
  for (const type of [0, 3, -1, 2 ** 31 - 1]) {
    await t.rejects(async () => set('k', type, Buffer.alloc(1), ANY_VERSION, NO_TTL), { code: 'ERR_INVALID_ARG_VALUE' })
  }
  await t.rejects(async () => set('k', BYTES, null, ANY_VERSION, NO_TTL), { code: 'ERR_NULL_POINTER' })
  for (const ttl of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
    await t.rejects(async () => set('k', BYTES, Buffer.alloc(1), ANY_VERSION, ttl), { code: 'ERR_INVALID_ARG_VALUE' })
  }
  await t.rejects(async () => store.increment('k', Number.NaN, NO_TTL), { code: 'ERR_INVALID_ARG_VALUE' })
  for (const bytes of [-1n, 2n ** 60n]) {
    await t.rejects(async () => store.begin(new Binder(), 'k', BYTES, bytes), { code: 'ERR_INVALID_ARG_VALUE' })
  }
  await t.rejects(async () => store.begin(new Binder(), 'k', BYTES, 17n * BigInt(MIB)), { code: 'ERR_LIMIT' })
  await t.rejects(async () => store.begin(null, 'k', BYTES, 1n), { code: 'ERR_NULL_POINTER' })
  await t.rejects(async () => store.watch(null, ''), { code: 'ERR_NULL_POINTER' })
  await t.rejects(async () => store.watch(new Binder(), 'p'.repeat(600)), { code: 'ERR_INVALID_ARG_VALUE' })
  await t.rejects(async () => store.unwatch(new Binder()), { code: 'ERR_ILLEGAL_STATE' })
  t.match(await set('k', BYTES, Buffer.alloc(1), -7n, NO_TTL), { isConflict: true, version: 0n })
  await set('not-json', JSON_TYPE, Buffer.from('{'), ANY_VERSION, NO_TTL)
  t.throws(() => owner.get('not-json'), { code: 'ERR_BAD_PARCEL' })
  t.throws(() => owner.increment('not-json'), { code: 'ERR_INVALID_ARG_VALUE' })
  t.same(owner.snapshot(['not-json']).get('not-json'), Buffer.from('{'))
  owner.set('not-json', 1)
  t.equal(owner.get('not-json'), 1)
})

t.test('watchers of one channel and of one user are counted, and forgotten with the channel', async (t) => {
  const { owner, store, client, connect } = strangers(t, { limits: { watchersOfPeer: 3, watchersOfUser: 4 } })
  for (let i = 0; i < 3; i++) await store.watch(new Binder(), `${i}`)
  await t.rejects(async () => store.watch(new Binder(), ''), {
    code: 'ERR_LIMIT',
    resource: 'watchers of a store of one peer',
  })
  const second = connect()
  await second.store.watch(new Binder(), '')
  await t.rejects(async () => second.store.watch(new Binder(), ''), {
    code: 'ERR_LIMIT',
    resource: 'watchers of a store of one user',
  })
  t.equal(owner.stats.watchers, 4)
  client.close()
  while (owner.stats.watchers !== 1) await new Promise(setImmediate)
  await second.store.watch(new Binder(), '')
})

t.test('a client that opens a store repeatedly is told of a move once, and costs one listener', async (t) => {
  const { owner, store } = strangers(t)
  let told = 0
  class Counting extends Binder {
    override onTransact(): boolean {
      told += 1
      return true
    }
  }
  for (let i = 0; i < 50; i++) closeAll(await store.open(new Counting({ acceptFileDescriptors: true })))
  owner.resize({ capacity: 8 * MIB })
  await store.delete('k', ANY_VERSION)
  t.equal(told, 1)
})

t.test(
  'a listener that takes no descriptors is refused at once: the areas of a move could not be told to it',
  async (t) => {
    const { store } = strangers(t)
    await t.rejects(async () => store.open(new Binder()), { code: 'ERR_INVALID_ARG_VALUE', message: /descriptors/ })
    closeAll(await store.open(new Binder({ acceptFileDescriptors: true })))
  },
)
