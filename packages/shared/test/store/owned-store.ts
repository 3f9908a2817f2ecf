/** The owner's half of a store, alone: what is set is what is read, within limits, until it ends. */
import t from 'tap'
import { OwnedStore } from '../../src/store/owned-store.ts'
import type { StoreChange } from '../../src/store/reading.ts'
import { awake, outcome as codeOf, leakChecked, MIB, ownedStore, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

t.test('JSON comes back frozen and as the same object, bytes as a fresh copy each time', async (t) => {
  const store = ownedStore(t)
  for (const value of [null, true, 0, -1.5, '', 'ä', [], [1, [2]], {}, { a: { b: [null] } }]) {
    const version = store.set('k', value)
    t.ok(version > 0n)
    t.strictSame(store.get('k'), value)
    t.equal(store.get('k'), store.get('k'))
  }
  const value = store.get<{ a: { b: unknown[] } }>('k') as { a: { b: unknown[] } }
  t.ok(Object.isFrozen(value) && Object.isFrozen(value.a) && Object.isFrozen(value.a.b))
  const bytes = Buffer.from([0, 1, 255])
  store.set('k', bytes)
  const read = store.get('k')
  t.strictSame(read, new Uint8Array(bytes))
  t.not(read, store.get('k'))
})

t.test("bytes that were read are the reader's own, whatever is read, written or changed after them", async (t) => {
  const store = ownedStore(t)
  for (const length of [4, 1000, 100_000]) {
    store.set('a', Buffer.alloc(length, 1))
    store.set('b', Buffer.alloc(length, 2))
    const a = store.get('a') as Uint8Array
    const b = store.get('b') as Uint8Array
    t.same([a[0], b[0], a.length, b.length], [1, 2, length, length])
    a.fill(9)
    t.strictSame(store.get('b'), new Uint8Array(length).fill(2))
    store.set('b', 'text')
    t.same([a[0], b[0]], [9, 2])
  }
})

t.test('a key is 1 to 512 bytes of UTF-8 without control characters', async (t) => {
  const store = ownedStore(t)
  for (const key of ['a', 'k'.repeat(512), 'ä'.repeat(256), '😀', ' ', '*']) {
    store.set(key, key)
    t.equal(store.get(key), key)
  }
  for (const key of ['', 'k'.repeat(513), 'ä'.repeat(257), 'a\n', '\0', '\x7f', '\x85', '\ud800']) {
    for (const act of [() => store.set(key, 1), () => store.get(key), () => store.delete(key)]) {
      t.equal(codeOf(act), 'ERR_INVALID_ARG_VALUE')
    }
  }
  t.equal(
    codeOf(() => store.set(7 as never, 1)),
    'ERR_INVALID_ARG_TYPE',
  )
})

t.test('a value that JSON cannot represent is refused, and the old value stays', async (t) => {
  const store = ownedStore(t)
  store.set('k', 1)
  const cycle: Record<string, unknown> = {}
  cycle.self = cycle
  for (const value of [
    undefined,
    () => 1,
    Symbol('s'),
    cycle,
    1n,
    { a: 1n },
    new Float64Array(1),
    new DataView(new ArrayBuffer(1)),
  ]) {
    t.equal(
      codeOf(() => store.set('k', value as never)),
      'ERR_INVALID_ARG_VALUE',
    )
  }
  t.equal(store.get('k'), 1)
})

t.test('a value is put only if it has the version that is asked for', async (t) => {
  const store = ownedStore(t)
  const first = store.set('k', 1, { ifVersion: 0n })
  t.match(
    errorOf(() => store.set('k', 2, { ifVersion: 0n })),
    { code: 'ERR_CONFLICT', version: first, key: 'k', message: `k has the version ${first}` },
  )
  const second = store.set('k', 2, { ifVersion: first })
  t.ok(second > first)
  t.match(
    errorOf(() => store.delete('k', { ifVersion: first })),
    { code: 'ERR_CONFLICT', version: second },
  )
  t.equal(store.delete('k', { ifVersion: second }), true)
  t.equal(store.delete('k'), false)
  t.match(
    errorOf(() => store.set('k', 3, { ifVersion: second })),
    { code: 'ERR_CONFLICT', version: 0n, message: 'k has no value' },
  )
})

t.test('an update is carried out as a whole, or not at all', async (t) => {
  const store = ownedStore(t)
  const version = store.set('a', 1)
  t.equal(
    codeOf(() =>
      store.update([
        { key: 'a', value: 2 },
        { key: 'b', value: 1, ifVersion: 5n },
      ]),
    ),
    'ERR_CONFLICT',
  )
  t.same([store.get('a'), store.get('b')], [1, undefined])
  const next = store.update([
    { key: 'b', value: 1 },
    { key: 'a', ifVersion: version },
    { key: 'b', value: 2 },
  ])
  t.ok(next > version)
  t.same([store.get('a'), store.get('b')], [undefined, 2])
  t.equal(store.update([{ key: 'absent' }]), 0n)
  const many = Array.from({ length: 257 }, (_, i) => ({ key: `k${i}`, value: i }))
  t.match(
    errorOf(() => store.update(many)),
    { code: 'ERR_LIMIT', resource: 'edits of a transaction' },
  )
  store.update(many.slice(1))
  t.equal(store.keys('k').length, 256)
})

t.test('increments count from 0, by any finite number, and refuse what is no number', async (t) => {
  const store = ownedStore(t)
  t.equal(store.increment('n'), 1)
  t.equal(store.increment('n', -2.5), -1.5)
  t.equal(store.get('n'), -1.5)
  store.set('s', 'text')
  store.set('b', new Uint8Array(8))
  for (const key of ['s', 'b'])
    t.equal(
      codeOf(() => store.increment(key)),
      'ERR_INVALID_ARG_VALUE',
    )
  t.equal(
    codeOf(() => store.increment('n', Number.NaN)),
    'ERR_OUT_OF_RANGE',
  )
  store.set('n', Number.MAX_VALUE)
  t.equal(
    codeOf(() => store.increment('n', Number.MAX_VALUE)),
    'ERR_INVALID_ARG_VALUE',
  )
})

t.test('a value ends after its time, unless it is set again without one', async (t) => {
  const store = ownedStore(t)
  const ended = new Promise<StoreChange>((resolve) => {
    store.onChange = (change) => {
      if (change.value === undefined) resolve(change)
    }
  })
  store.set('kept', 1, { ttlMs: 5 })
  store.set('kept', 2)
  store.set('counted', 1, { ttlMs: 20 })
  store.increment('counted') // keeps the end that it has
  t.match(await awake(ended), { key: 'counted', value: undefined })
  t.equal(store.get('kept'), 2)
  t.equal(store.get('counted'), undefined)
})

t.test('each key that is written counts', async (t) => {
  const store = ownedStore(t)
  t.equal(store.activity.writes, 0)
  store.set('a', 1)
  t.equal(store.activity.writes, 1)
  store.update([
    { key: 'a', value: 2 },
    { key: 'b', value: 1 },
    { key: 'c', value: 1 },
  ])
  t.equal(store.activity.writes, 4)
  store.delete('b')
  t.equal(store.activity.writes, 5)
  store.delete('b')
  codeOf(() => store.set('a', 1, { ifVersion: 0n }))
  t.equal(store.activity.writes, 5, 'what is refused, or changes nothing, does not')
  t.ok(store.activity.changedAt <= Date.now())
})

t.test('limits are said by name, and nothing has happened', async (t) => {
  const store = ownedStore(t, { capacity: MIB, maxKeys: 16, maxValueBytes: 1000 })
  t.match(
    errorOf(() => store.set('k', Buffer.alloc(1001))),
    { code: 'ERR_LIMIT', resource: 'bytes of a value', limit: 1000 },
  )
  for (let i = 0; i < 16; i++) store.set(`k${i}`, i)
  t.match(
    errorOf(() => store.set('more', 1)),
    { code: 'ERR_LIMIT', resource: 'keys of an area', limit: 16 },
  )
  store.delete('k3')
  store.set('more', 1)
  t.equal(store.keys().length, 16)
})

t.test('a capacity is all that a small store says: it has as many keys as there is room for', (t) => {
  for (const capacity of [MIB / 32, MIB / 16, MIB / 4, MIB, 4 * MIB]) {
    const owner = new OwnedStore({ capacity })
    t.ok(owner.set('key', { a: 'value' }) > 0n, `${capacity}`)
    t.throws(() => owner.set('large', Buffer.alloc(capacity)), { code: 'ERR_LIMIT', resource: 'bytes of an area' })
    t.strictSame(owner.get('key'), { a: 'value' })
    owner.close()
  }
  t.end()
})

t.test('a capacity without room for its keys is refused, with the least that there is room in', (t) => {
  const code = 'ERR_OUT_OF_RANGE'
  t.throws(() => new OwnedStore({ capacity: 1 }), {
    code,
    message: /capacity must be at least 16448 for 1 keys, got 1/,
  })
  t.throws(() => new OwnedStore({ capacity: MIB, maxKeys: 65_536 }), {
    code,
    message: /at least 4210688 for 65536 keys/,
  })
  for (const maxKeys of [1, 64, 65_536]) {
    const least = 16 * 1024 + 64 * maxKeys
    t.throws(() => new OwnedStore({ capacity: least - 1, maxKeys }), { code })
    const owner = new OwnedStore({ capacity: least, maxKeys })
    t.ok(owner.set('key', 1) > 0n)
    t.throws(() => owner.resize({ capacity: least - 1 }), { code })
    t.equal(owner.get('key'), 1)
    owner.close()
  }
  t.end()
})

t.test('a full store says so, can be emptied, and takes the bytes of the deleted again', async (t) => {
  const store = ownedStore(t, { capacity: MIB, maxKeys: 512 })
  const fill = () => {
    let count = 0
    const put = () => store.set(`k${count}`, Buffer.alloc(10_000, count))
    for (; codeOf(put) !== 'ERR_LIMIT'; ) count++
    t.match(errorOf(put), { code: 'ERR_LIMIT', resource: 'bytes of an area' })
    return count
  }
  const first = fill()
  t.ok(first > 50)
  for (const key of store.keys()) t.equal(store.delete(key), true)
  t.equal(store.stats.keys, 0)
  t.ok(fill() >= first - 2)
  for (const key of store.keys()) store.delete(key)
  store.set('large', Buffer.alloc(first * 9000, 7))
  t.equal((store.get('large') as Uint8Array).length, first * 9000)
})

t.test('a store that is full to the last block can be emptied', async (t) => {
  const store = ownedStore(t, { capacity: MIB, maxKeys: 8192 })
  let count = 0
  while (codeOf(() => store.set(`k${count}`, 1)) !== 'ERR_LIMIT') count++
  t.ok(count > 1000)
  for (const key of store.keys()) store.delete(key)
  t.equal(store.stats.keys, 0)
})

t.test('keys of several areas cannot change together, nor be read as of one moment', async (t) => {
  const store = ownedStore(t, { areas: [{ keys: ['a/*'] }, { keys: ['b', 'c*'] }] })
  store.set('a/1', 1)
  store.set('b', 2)
  store.set('c3', 3)
  t.same(store.keys(), ['a/1', 'b', 'c3'])
  t.equal(
    codeOf(() =>
      store.update([
        { key: 'a/1', value: 1 },
        { key: 'b', value: 1 },
      ]),
    ),
    'ERR_UNSUPPORTED_OPERATION',
  )
  t.equal(
    codeOf(() => store.snapshot(['a/1', 'b'])),
    'ERR_UNSUPPORTED_OPERATION',
  )
  t.equal(
    codeOf(() => store.snapshot({ prefix: '' })),
    'ERR_UNSUPPORTED_OPERATION',
  )
  t.same([...store.snapshot({ prefix: 'c' })], [['c3', 3]])
  t.same(
    [...store.snapshot(['b', 'c3', 'c'])],
    [
      ['b', 2],
      ['c3', 3],
    ],
  )
  t.equal(
    codeOf(() => store.set('d', 1)),
    'ERR_INVALID_ARG_VALUE',
  )
  const versions = ['a/2', 'c2', 'a/3', 'b'].map((key) => store.set(key, 0))
  t.equal(new Set(versions).size, 4, 'no version is given twice')
})

t.test('versions go on where the store before ended', async (t) => {
  const versions = [1, 2, 3].map(() => {
    const store = new OwnedStore({ capacity: MIB, maxKeys: 16 })
    for (let i = 0; i < 5000; i++) store.set('k', i)
    const version = store.set('k', 1)
    store.close()
    return version
  })
  const [a = 0n, b = 0n, c = 0n] = versions
  t.ok(a + 5000n < b && b + 5000n < c)
  t.ok(c < BigInt(Number.MAX_SAFE_INTEGER))
})

t.test('a store that was resized has its values, with their versions', async (t) => {
  const store = ownedStore(t, { capacity: MIB, maxKeys: 64 })
  const version = store.set('k', { a: 1 })
  const value = store.get('k')
  store.resize({ capacity: 2 * MIB, maxKeys: 1000 })
  t.equal(store.get('k'), value, 'the same object')
  store.set('k', 2, { ifVersion: version })
  for (let i = 0; i < 100; i++) store.set(`k${i}`, Buffer.alloc(10_000))
  t.equal(
    codeOf(() => store.resize({ capacity: MIB })),
    'ERR_LIMIT',
  )
  t.equal(store.get('k'), 2)
})

t.test('areas and limits of a wrong kind are refused', async (t) => {
  const open = ownedStore(t)
  const areas: [unknown, string][] = [
    [null, 'ERR_NULL_POINTER'],
    [5, 'ERR_INVALID_ARG_TYPE'],
    [{ keys: [5] }, 'ERR_INVALID_ARG_TYPE'],
    [{ keys: [null] }, 'ERR_NULL_POINTER'],
    [{ keys: [''] }, 'ERR_INVALID_ARG_VALUE'],
  ]
  for (const [area, code] of areas) {
    t.throws(() => new OwnedStore({ areas: [{ keys: ['*'] }, area as never] }), { code })
    t.throws(() => open.setAreas([area as never, { keys: ['*'] }]), { code })
  }
  const several: [unknown, string][] = [
    [5, 'ERR_INVALID_ARG_TYPE'],
    [null, 'ERR_NULL_POINTER'],
    [{ keys: 1 }, 'ERR_INVALID_ARG_VALUE'],
    [{ edits: '1' }, 'ERR_INVALID_ARG_TYPE'],
    [{ edits: 257 }, 'ERR_OUT_OF_RANGE'],
  ]
  for (const [limits, code] of several) {
    t.throws(() => new OwnedStore({ limits: limits as never }), { code })
  }
  t.throws(() => open.setLimits({ keys: 1 } as never), { code: 'ERR_INVALID_ARG_VALUE' })
})

t.test('after close() everything is ERR_CLOSED, and close() again is harmless', async (t) => {
  const store = ownedStore(t)
  store.set('k', 1)
  store.get('k')
  store.close()
  store[Symbol.dispose]()
  for (const act of [
    () => store.update([]),
    () => store.stats,
    () => store.resize({}),
    () => store.setAreas([{ keys: ['*'] }]),
    () => store.get('k'),
    () => store.set('k', 2),
    () => store.set('new', 2),
    () => store.update([{ key: 'k', value: 2 }]),
    () => store.increment('n'),
    () => store.snapshot({ prefix: '' }),
    () => store.keys(),
    () => store.delete('k'),
  ]) {
    t.throws(act, { name: 'ClosedError', code: 'ERR_CLOSED', message: 'the store was closed' })
  }
})

t.test('onChange that throws is a warning, and the change is made', async (t) => {
  const store = ownedStore(t)
  const warned = new Promise((resolve) => process.once('warning', resolve))
  store.onChange = () => {
    throw new Error('mine')
  }
  store.set('k', 1)
  t.match(await warned, { code: 'MEMSVC_CALLBACK_ERROR' })
  t.equal(store.get('k'), 1)
})

t.test(
  'onChange tells of each change with the value that it made, also where it changes something itself',
  async (t) => {
    const store = ownedStore(t)
    const told: [string, unknown, bigint][] = []
    const versions: bigint[] = []
    store.onChange = ({ key, value, version }) => {
      told.push([key, value, version])
      if (key !== 'a') return
      versions.push(store.set('b', 'new'), store.update([{ key: 'c' }]))
    }
    const first = store.update([
      { key: 'a', value: 1 },
      { key: 'b', value: 'old' },
      { key: 'c', value: 'old' },
    ])
    const [second, third] = versions
    t.strictSame(told, [
      ['a', 1, first],
      ['b', 'old', first],
      ['c', 'old', first],
      ['b', 'new', second],
      ['c', undefined, third],
    ])
    store.onChange = () => store.close()
    store.update([
      { key: 'd', value: 1 },
      { key: 'e', value: 1 },
    ])
    t.equal(told.length, 5)
  },
)

function errorOf(act: () => unknown): unknown {
  try {
    return act()
  } catch (error) {
    return error
  }
}

t.test('keys that come and go do not fill the memory with the places of those that are gone', async (t) => {
  const store = ownedStore(t, { capacity: 16 * MIB, maxKeys: 65_536 })
  let most = 0
  for (let i = 0; i < 20_000; i++) {
    store.set(`session/${i}`, i)
    if (i >= 10) store.delete(`session/${i - 10}`)
    most = Math.max(most, store.stats.usedBytes)
  }
  t.equal(store.stats.keys, 10)
  // Each place that is kept takes 64 bytes and its slots of the index.
  t.ok(most < 512 * 1024, `${most} bytes`)
})
