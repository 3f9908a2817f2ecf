/** A store between an owner and its readers, over channels: reads, writes, rights, limits, moves. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { SharedStore } from '../../src/store/shared-store.ts'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)
support.watchdog(t)

t.test('a value that one process sets is in the next get of all others, without a call', async (t) => {
  const { owner, store, open } = await support.publishedStore(t)
  const other = await open()
  for (const value of [1, 'text', { a: [1, null] }, null, new Uint8Array([0, 255]), Buffer.alloc(100_000, 7)]) {
    const version = await store.set('k', value)
    for (const reader of [store, other]) {
      t.strictSame(reader.get('k'), value instanceof Uint8Array ? new Uint8Array(value) : value)
      t.equal(reader.getEntry('k').version, version)
    }
    t.equal(other.entry('k').version, version)
  }
  owner.set('own', 1)
  t.same(store.keys(), ['k', 'own'])
  t.equal(store.size, 2)
})

t.test('a value is frozen, and the same object while it is unchanged', async (t) => {
  const { owner, store } = await support.publishedStore(t)
  owner.set('k', { list: [1] })
  const value = store.get<{ list: number[] }>('k') as { readonly list: readonly number[] }
  t.ok(Object.isFrozen(value) && Object.isFrozen(value.list))
  t.equal(store.get('k'), value)
  const entry = store.entry('k')
  t.equal(entry.value, value)
  owner.set('other', 1)
  t.equal(store.get('k'), value)
  owner.set('k', { list: [1] })
  t.not(store.get('k'), value)
  t.same(entry.value, value)
  owner.delete('k')
  t.same(
    [store.get('k'), entry.value, entry.version, entry.type, entry.byteLength],
    [undefined, undefined, 0n, null, 0],
  )
  t.same(store.getEntry('k'), { key: 'k', value: undefined, version: 0n, byteLength: 0, type: null })
})

t.test('a key that was absent is there as soon as it is set', async (t) => {
  const { owner, store } = await support.publishedStore(t)
  const entry = store.entry('k')
  for (let round = 0; round < 1000; round++) {
    t.equal(store.get('k'), undefined)
    t.equal(store.has('k'), false)
    owner.set('k', round)
    if (store.get('k') !== round || entry.value !== round) t.fail(`round ${round} is stale`)
    owner.delete('k')
  }
})

t.test('bytes are read into a buffer, whole or in parts, of one version', async (t) => {
  const { owner, store } = await support.publishedStore(t)
  const version = owner.set('b', Buffer.from('0123456789'))
  const target = Buffer.alloc(4)
  t.equal(store.readBytes('b', target), 4)
  t.equal(target.toString(), '0123')
  t.equal(store.readBytes('b', target, { position: 8, version }), 2)
  t.equal(target.toString(), '8923')
  t.equal(store.readBytes('b', target, { position: 10 }), 0)
  t.equal(store.readBytes('b', target, { position: 11 }), 0)
  t.equal(store.readBytes('absent', target), -1)
  t.equal(store.readBytes('absent', target, { position: 1 }), -1, 'from a position it is no conflict either')
  t.equal(
    support.outcome(() => store.readBytes('b', target, { position: -1 })),
    'ERR_OUT_OF_RANGE',
  )
  t.equal(store.readBytes('absent', target, { version: 0n }), -1, 'it has no value, which is version 0n')
  target.fill('-')
  t.throws(() => store.readBytes('b', target, { version: 0n }), { code: 'ERR_CONFLICT', version })
  t.equal(target.toString(), '----')
  const next = owner.set('b', { json: true })
  t.throws(() => store.readBytes('b', target, { version }), { code: 'ERR_CONFLICT', version: next })
  t.equal(String(store.getBytes('b') && Buffer.from(store.getBytes('b') as Uint8Array)), '{"json":true}')
  t.same(store.get('b'), { json: true }, 'what is read in parts and whole does not mix')
  owner.set('b', 5)
  store.readBytes('b', target)
  t.equal(store.get('b'), 5)
})

t.test('bytes that are read again and again are those of now, in every part', async (t) => {
  const { owner, store } = await support.publishedStore(t)
  for (const text of ['0123456789', 'abc', '', 'x'.repeat(256), 'y'.repeat(257)]) {
    owner.set('b', Buffer.from(text))
    for (let round = 0; round < 4; round++) {
      for (const [room, position] of [
        [300, 0],
        [2, 0],
        [2, 1],
        [300, 9],
        [0, 0],
        [300, 1000],
      ] as const) {
        const target = Buffer.alloc(room)
        const count = store.readBytes('b', target, { position })
        t.equal(target.toString('latin1', 0, count), text.substring(position, position + room))
      }
    }
    t.equal(Buffer.from(store.getBytes('b') ?? []).toString(), text)
    t.equal(store.getEntry('b').byteLength, text.length)
  }
  const own = Object.assign(Buffer.alloc(4), { set: (source: Uint8Array) => source.fill(0xff) })
  owner.set('b', Buffer.from('good'))
  for (let round = 0; round < 4; round++) t.equal(store.readBytes('b', own), 4)
  t.equal(own.toString(), 'good')
  owner.delete('b')
  t.equal(store.readBytes('b', own), -1)
})

t.test('compare-and-set, delete, increment and update go by the owner', async (t) => {
  const { owner, store } = await support.publishedStore(t)
  const version = await store.set('k', 1, { ifVersion: 0n })
  await t.rejects(store.set('k', 2, { ifVersion: 0n }), {
    code: 'ERR_CONFLICT',
    version,
    key: 'k',
    value: 1,
    revision: null,
  })
  await t.rejects(store.delete('k', { ifVersion: 1n }), { code: 'ERR_CONFLICT', version })
  t.equal(await store.delete('k', { ifVersion: version }), true)
  t.equal(await store.delete('k'), false)
  t.equal(await store.increment('n'), 1)
  t.equal(await store.increment('n', 0.5), 1.5)
  await t.rejects(store.increment('n', Number.POSITIVE_INFINITY), { code: 'ERR_OUT_OF_RANGE' })
  owner.set('s', 'x')
  await t.rejects(store.increment('s'), { code: 'ERR_INVALID_ARG_VALUE' })
  const together = await store.update([{ key: 'a', value: 1 }, { key: 'b', value: Buffer.from('x') }, { key: 's' }])
  t.equal(store.getEntry('a').version, together)
  t.same(store.keys(), ['a', 'b', 'n'])
  await t.rejects(
    store.update([
      { key: 'a', value: 2 },
      { key: 'b', value: 1, ifVersion: 7n },
    ]),
    {
      code: 'ERR_CONFLICT',
      key: 'b',
      version: together,
    },
  )
  t.equal(store.get('a'), 1)
  const large = Array.from({ length: 3 }, (_, i) => ({ key: `l${i}`, value: Buffer.alloc(400_000) }))
  await t.rejects(store.update(large), { code: 'ERR_TRANSACTION_TOO_LARGE' })
  await t.rejects(store.update(Array.from({ length: 257 }, (_, i) => ({ key: `${i}`, value: 1 }))), {
    code: 'ERR_LIMIT',
  })
  await t.rejects(store.set('', 1), { code: 'ERR_INVALID_ARG_VALUE' })
  await t.rejects(store.set('k', undefined as never), { code: 'ERR_INVALID_ARG_VALUE' })
})

t.test('a value of 16 MiB comes in parts, and one byte more is over the limit', async (t) => {
  const { owner, store } = await support.publishedStore(t, { capacity: 48 * support.MIB })
  const value = Buffer.alloc(16 * support.MIB)
  for (let i = 0; i < value.length; i += 4096) value.writeUInt32LE(i, i)
  const version = await store.set('large', value)
  t.ok(Buffer.from(store.get('large') as Uint8Array).equals(value))
  await t.rejects(store.set('large', Buffer.alloc(16 * support.MIB + 1)), {
    code: 'ERR_LIMIT',
    resource: 'bytes of a value',
  })
  await t.rejects(store.set('large', value, { ifVersion: 1n }), { code: 'ERR_CONFLICT', version })
  t.ok(owner.stats.usedBytes < 21 * support.MIB, 'what was refused is given back')
  const text = 'x'.repeat(200_000)
  await store.set('json', { text })
  t.same(store.get('json'), { text })
})

t.test('bytes are plain bytes, and no Buffer, by whatever they are read', async (t) => {
  const { owner, store } = await support.publishedStore(t)
  owner.set('k', Buffer.from('b'))
  const [[, fromEntries]] = store.entries() as [[string, unknown]]
  const { value: change } = await store.changes('', { initial: true }).next()
  const reads = { fromEntries, change: change?.value, get: store.get('k'), getBytes: store.getBytes('k') }
  const others = { entry: store.getEntry('k').value, snapshot: store.snapshot(['k']).get('k'), owner: owner.get('k') }
  for (const [name, bytes] of Object.entries({ ...reads, ...others, owners: owner.snapshot(['k']).get('k') })) {
    t.equal(Object.getPrototypeOf(bytes), Uint8Array.prototype, name)
    t.strictSame(bytes, new Uint8Array([98]), name)
  }
})

t.test('a call that was given up before it began is not sent', async (t) => {
  const { owner, store } = await support.publishedStore(t)
  owner.set('k', 0)
  const signal = AbortSignal.abort()
  for (const act of [
    () => store.set('k', 1, { signal }),
    () => store.set('k', Buffer.alloc(support.MIB), { signal }),
    () => store.delete('k', { signal }),
    () => store.increment('k', 1, { signal }),
    () => store.update([{ key: 'k', value: 1 }], { signal }),
  ] as (() => Promise<unknown>)[]) {
    await t.rejects(act, { name: 'AbortError' })
    await store.increment('later') // whatever was sent has been served
    t.equal(owner.get('k'), 0)
  }
})

t.test('a large value that is given up on its way is not put, and its place is free again', async (t) => {
  const { owner, store } = await support.publishedStore(t, { capacity: 64 * support.MIB })
  owner.set('k', 0)
  const controller = new AbortController()
  const large = Buffer.alloc(16 * support.MIB)
  const aborted = t.rejects(store.set('k', large, { signal: controller.signal }), { name: 'AbortError' })
  const late = t.rejects(store.set('k', large, { timeoutMs: 1 }), { code: 'ERR_TIMEOUT' })
  for (let turn = 0; owner.used.uploads === 0 && turn < 10_000; turn++) await nextTurn()
  controller.abort()
  await Promise.all([aborted, late])
  while (owner.used.uploads !== 0) await nextTurn()
  t.equal(owner.get('k'), 0)
})

t.test('a large value comes as it was when it was sent, wherever its parts end', async (t) => {
  const { owner, store } = await support.publishedStore(t, { capacity: 64 * support.MIB })
  for (const length of [64_001, 65_408, 65_409, 2 * 65_408, 4 * 65_408 + 3, 1_048_576, 3_000_001]) {
    const bytes = Buffer.alloc(length)
    for (let i = 0; i < length; i++) bytes[i] = i % 251
    const expected = Buffer.from(bytes)
    const done = store.set('k', bytes)
    bytes.fill(255, 0, 64_000) // the first part has left, or was copied
    await done
    t.ok(expected.equals(Buffer.from(owner.get('k') as Uint8Array)), `${length} bytes`)
  }
  t.equal(owner.used.uploads, 0)
})

t.test(
  'more large values at once than a channel may send: some are put, and the others are told the limit',
  async (t) => {
    const { owner, store } = await support.publishedStore(t, { capacity: 64 * support.MIB, mayWrite: () => true })
    const values = Array.from({ length: 20 }, (_, i) => Buffer.alloc(support.MIB, i))
    const all = await Promise.allSettled(values.map((value, i) => store.set(`k${i}`, value)))
    for (const [i, each] of all.entries()) {
      if (each.status === 'rejected')
        t.match(each.reason, { code: 'ERR_LIMIT', resource: 'uploads of one peer', limit: 4 })
      else t.ok(values[i]?.equals(Buffer.from(owner.get(`k${i}`) as Uint8Array)), `k${i}`)
    }
    t.ok(all.filter(({ status }) => status === 'fulfilled').length >= 4)
    t.equal(owner.used.uploads, 0)
  },
)

t.test('a snapshot is of one moment, and leaves absent keys out', async (t) => {
  const { owner, store } = await support.publishedStore(t)
  owner.update([
    { key: 'a/1', value: 1 },
    { key: 'a/2', value: { x: 1 } },
    { key: 'b', value: Buffer.from('b') },
  ])
  t.same(
    [...store.snapshot(['a/1', 'none', 'b'])],
    [
      ['a/1', 1],
      ['b', new Uint8Array([98])],
    ],
  )
  const snapshot = store.snapshot({ prefix: 'a/' })
  t.same(
    new Map(snapshot),
    new Map<string, unknown>([
      ['a/1', 1],
      ['a/2', { x: 1 }],
    ]),
  )
  t.ok(Object.isFrozen(snapshot.get('a/2')))
  t.same(store.entries('a/'), [
    ['a/1', 1],
    ['a/2', { x: 1 }],
  ])
  t.same(
    [...store].map(([key]) => key),
    ['a/1', 'a/2', 'b'],
  )
})

t.test('a store moves to larger areas under its readers', async (t) => {
  const { owner, store, open } = await support.publishedStore(t, { capacity: support.MIB, maxKeys: 64 })
  const other = await open()
  const version = owner.set('k', { a: 1 })
  const value = store.get('k')
  const entry = other.entry('k')
  t.same(entry.value, value)
  for (let round = 2; round < 5; round++) {
    owner.resize({ capacity: round * support.MIB, maxKeys: 64 * round })
    for (const reader of [store, other]) await moved(reader)
    t.equal(store.get('k'), value, 'what has not changed is the same object')
    t.equal(store.size, 1)
    t.equal(entry.version, version)
  }
  owner.set('k', 2)
  t.same([store.get('k'), other.get('k'), entry.value], [2, 2, 2])
  await store.set('k', 3, { ifVersion: store.getEntry('k').version })
  t.equal(owner.get('k'), 3)
})

/** A call to the owner is answered after what the owner said before. */
async function moved(store: SharedStore): Promise<void> {
  await store.delete('none')
}

t.test(
  'a store that fills up with other sizes moves by itself, and an upload that was under way is sent again',
  async (t) => {
    const { owner, store } = await support.publishedStore(t, { capacity: 4 * support.MIB, maxKeys: 4096 })
    for (let i = 0; i < 3000; i++) owner.set(`k${i}`, Buffer.alloc(900))
    const uploading = store.set('up', Buffer.alloc(500_000, 3))
    await store.increment('n')
    for (let i = 0; i < 3000; i++) owner.delete(`k${i}`)
    owner.resize({ capacity: 4 * support.MIB })
    await uploading
    t.equal((store.get('up') as Uint8Array).length, 500_000)
  },
)

t.test('a user who may not write is refused, and each user has a share', async (t) => {
  const { store } = await support.publishedStore(t, {
    mayWrite: ({ uid }, key) => uid === process.getuid?.() && !key.startsWith('no/'),
  })
  await store.set('yes', 1)
  for (const act of [() => store.set('no/k', 1), () => store.delete('no/k'), () => store.increment('no/k')]) {
    await t.rejects(act as () => Promise<unknown>, { code: 'ERR_SECURITY' })
  }
  await t.rejects(store.set('no/k', Buffer.alloc(100_000)), { code: 'ERR_SECURITY' })
  await t.rejects(
    store.update([
      { key: 'yes', value: 2 },
      { key: 'no/k', value: 1 },
    ]),
    { code: 'ERR_SECURITY' },
  )
  t.equal(store.get('yes'), 1)
})

t.test('a key that may not be read does not exist', async (t) => {
  const { owner, store } = await support.publishedStore(t, {
    areas: [{ keys: ['secret/*'], mayRead: () => false }, { keys: ['*'] }],
  })
  owner.set('secret/k', 1)
  owner.set('k', 2)
  t.same([store.get('secret/k'), store.get('k'), store.has('secret/k'), store.size], [undefined, 2, false, 1])
  t.same(store.keys(), ['k'])
  await store.set('secret/other', 1)
  t.equal(owner.get('secret/other'), 1)
  t.equal(store.get('secret/other'), undefined)
})

t.test('a store of this process is read too, and goes on when its reader is closed', async (t) => {
  const { owner, publisher } = await support.publishedStore(t)
  const store = await SharedStore.open('store', { manager: publisher })
  await store.set('k', 1)
  await store.set('large', Buffer.alloc(200_000))
  t.equal(store.get('k'), 1)
  owner.resize({ capacity: 8 * support.MIB })
  owner.set('k', 2)
  t.equal(store.get('k'), 2, 'at once')
  store.close()
  owner.set('k', 3)
})

t.test('a store that is not there, or is none, is said so', async (t) => {
  const { registry, publisher } = await support.publishedStore(t)
  await t.rejects(SharedStore.open('none', { path: registry }), { code: 'ERR_SERVICE_NOT_FOUND' })
  await t.rejects(SharedStore.open('store', { path: `${registry}x` }), { code: 'ERR_REGISTRY_UNAVAILABLE' })
  await t.rejects(SharedStore.open('store', { manager: {} as never }), { code: 'ERR_INVALID_ARG_TYPE' })
  const manager = await support.connect(t, registry)
  await t.rejects(SharedStore.open('none', { manager }), { code: 'ERR_SERVICE_NOT_FOUND' })
  t.same(await manager.listServices(), ['store'], 'the manager that was given stays open')
  t.ok(publisher.isConnected)
})

t.test('after close() everything is ERR_CLOSED', async (t) => {
  const { store, owner } = await support.publishedStore(t)
  owner.set('k', 1)
  const entry = store.entry('k')
  t.equal(entry.value, 1)
  store.close()
  store[Symbol.dispose]()
  for (const act of [
    () => store.get('k'),
    () => store.snapshot(['k']),
    () => entry.value,
    () => store.keys(),
    () => store.status,
    () => store.changes(),
    () => store.entry('k'),
    () => store.entry('other'),
  ]) {
    t.throws(act, { name: 'ClosedError', code: 'ERR_CLOSED', message: 'the store was closed' })
  }
  await t.rejects(store.set('k', 1), { code: 'ERR_CLOSED' })
})

t.test('a reader has one mapping for each area, and no descriptor of it', async (t) => {
  const { owner, open } = await support.publishedStore(t, { areas: [{ keys: ['a*'] }, { keys: ['*'] }] })
  const areasOf = (lines: string[]) => lines.filter((line) => line.includes('memsvc-store')).length
  const [descriptors, mappings] = [areasOf(support.openDescriptors()), areasOf(support.sharedMappings())]
  const store = await open()
  for (let i = 0; i < 100; i++) {
    owner.set(`a${i}`, i)
    t.equal(store.get(`a${i}`), i)
  }
  t.same([areasOf(support.openDescriptors()), areasOf(support.sharedMappings())], [descriptors, mappings + 2])
})

t.test('a store that its owner has closed keeps its values, and calls wait for the next one', async (t) => {
  const { owner, store } = await support.publishedStore(t)
  owner.set('k', 1)
  owner.close()
  t.equal(store.get('k'), 1)
  await t.rejects(store.set('k', 2), { code: 'ERR_DEAD_OBJECT' }, 'under way when the channel ended')
  await t.rejects(store.set('k', Buffer.alloc(100_000), { timeoutMs: 100 }), { code: 'ERR_TIMEOUT' })
  t.equal(store.get('k'), 1)
})

t.test('waiting for a store can be stopped', async (t) => {
  const { registry } = await support.publishedStore(t)
  await t.rejects(SharedStore.open('store', { path: registry, signal: AbortSignal.abort() }), { code: 'ABORT_ERR' })
})
