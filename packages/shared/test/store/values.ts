/** What is put into a store is what comes out of it, or is refused with a code, at the owner and by a client. */
import { runInNewContext } from 'node:vm'
import t, { type Test } from 'tap'
import { OwnedStore } from '../../src/store/owned-store.ts'
import type { SharedStore } from '../../src/store/shared-store.ts'
import { leakChecked, ownedStore, publishedStore, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

type Set = (value: unknown) => Promise<unknown>

const deep = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`)
const throwing = (error: unknown) => ({
  toJSON() {
    throw error
  },
})

const KEPT_TWICE = { a: [1] }

class Point {
  x = 1
}

/** By what they are: as they are read, where that is not the same. */
const KEPT: Record<string, [value: unknown, read?: unknown]> = {
  'negative zero': [-0, 0],
  'the largest and the smallest': [[Number.MAX_VALUE, Number.MIN_VALUE, -Number.MAX_VALUE]],
  'half a surrogate pair': ['\ud83d'],
  'halves as names': [{ '\udc00': '\ud800' }],
  'text of all kinds': ['\0\u2028\u2029\ufeff\u{10ffff}ä"\\'],
  'members that are undefined': [
    { a: undefined, b: [{ c: undefined }], d: 1 },
    { b: [{}], d: 1 },
  ],
  dates: [new Date(0), '1970-01-01T00:00:00.000Z'],
  addresses: [{ at: new URL('http://a/') }, { at: 'http://a/' }],
  'what toJSON says': [{ toJSON: () => ({ a: 1 }) }, { a: 1 }],
  'the same object twice': [[KEPT_TWICE, KEPT_TWICE]],
  'objects of another realm': [runInNewContext('({ a: [{}] })'), { a: [{}] }],
  'no prototype': [Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
  'an array that cannot be iterated': [Object.setPrototypeOf([1, [2]], null), [1, [2]]],
  'bytes of another realm': [runInNewContext('new Uint8Array([1, 2])'), new Uint8Array([1, 2])],
  'no bytes': [new Uint8Array(0)],
  'a part of a buffer': [Buffer.from('0123').subarray(1, 3), new Uint8Array([0x31, 0x32])],
  'bytes that are shared': [new Uint8Array(new SharedArrayBuffer(2)), new Uint8Array(2)],
}

const REFUSED: Record<string, unknown> = {
  undefined: undefined,
  'a function': () => 1,
  'a symbol': Symbol('s'),
  'a bigint': 1n,
  'a bigint inside': { a: [1n] },
  NaN: Number.NaN,
  'an infinity inside': { a: [-1 / 0] },
  'a place that is undefined': [1, undefined],
  'a place that is empty': new Array(1),
  'a place that the iterator hides': Object.assign([Number.NaN], { [Symbol.iterator]: () => [1].values() }),
  'a function inside': { a: { b: () => 1 } },
  'a symbol inside': [Symbol('s')],
  'a member named by a symbol': { [Symbol('s')]: 1 },
  'a Map': new Map([['a', 1]]),
  'a Map inside': { a: [new Map()] },
  'a Set': new Set([1]),
  'a WeakMap': new WeakMap(),
  'a Promise': Promise.resolve(1),
  'a RegExp': /a/,
  'an Error': new Error('mine'),
  'an object of a class': new Point(),
  'a boxed number': Object(1),
  'a boxed text inside': [Object('s')],
  'a Map of another realm': runInNewContext('new Map()'),
  'bytes inside': { a: new Uint8Array(1) },
  'a Buffer inside': [Buffer.from('a')],
  'other views': new Float64Array(1),
  'a buffer without a view': new ArrayBuffer(8),
  'a shared one': new SharedArrayBuffer(8),
  'a toJSON that says undefined': { toJSON: () => undefined },
  'a toJSON that throws an error': throwing(new Error('mine')),
  'a toJSON that throws null': throwing(null),
  'a toJSON that throws a symbol': throwing(Symbol('s')),
  'what is too deep for JSON': deep(200_000),
}

function tellApart(text: string): (t: Test, set: Set, get: () => unknown) => Promise<void> {
  return async (t, set, get) => {
    const [value, read = value] = KEPT[text] as [unknown, unknown?]
    await set(value)
    t.strictSame(get(), read)
  }
}

type Store = OwnedStore | SharedStore

async function checkAll(t: Test, store: Store): Promise<void> {
  const set: Set = async (value) => store.set('k', value as never)
  for (const name of Object.keys(KEPT)) await t.test(name, (t) => tellApart(name)(t, set, () => store.get('k')))
  await set('before')
  for (const [name, value] of Object.entries(REFUSED)) {
    await t.rejects(set(value), { code: 'ERR_INVALID_ARG_VALUE' }, name)
    t.equal(store.get('k'), 'before', name)
  }
}

t.test('a refusal says which part of a value it is', (t) => {
  const store = ownedStore(t)
  const refusals: [value: unknown, message: RegExp][] = [
    [Object.setPrototypeOf([new Map()], null), /: value\[0\] must be a JSON value, got an object of class Map$/],
    [new Map(), /: value must be a JSON value, got an object of class Map$/],
    [{ a: [1, { b: Number.NaN }] }, /: value\.a\[1\]\.b must be .*, got NaN$/],
    [[undefined], /: value\[0\] must be .*, got undefined$/],
  ]
  for (const [value, message] of refusals) {
    t.throws(() => store.set('k', value as never), { code: 'ERR_INVALID_ARG_VALUE', message })
    const edit = { key: 'k', value: { inside: value } as never }
    t.throws(() => store.update([edit]), { code: 'ERR_INVALID_ARG_VALUE', message: /: value\.inside/ })
  }
  t.equal(store.get('k'), undefined)
  t.end()
})

t.test('at the owner', async (t) => checkAll(t, ownedStore(t)))
t.test('by a client', async (t) => checkAll(t, (await publishedStore(t)).store))

t.test('a name like __proto__ is a name, of keys and of members', async (t) => {
  const { owner, store } = await publishedStore(t)
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    t.equal(store.get(name), undefined)
    const value = JSON.parse(`{${JSON.stringify(name)}: {"polluted": [1]}}`)
    await store.set(name, value)
    const read = store.get(name) as Record<string, Record<string, unknown>>
    t.equal(JSON.stringify(read), JSON.stringify(value))
    t.ok(Object.hasOwn(read, name))
    t.ok(Object.isFrozen(read[name]) && Object.isFrozen(read[name]?.polluted))
    t.equal(owner.snapshot([name]).size, 1)
  }
  t.equal(Object.hasOwn(Object.prototype, 'polluted'), false)
  t.same(store.keys(), ['__proto__', 'constructor', 'hasOwnProperty', 'toString'])
})

t.test('a value as deep as JSON can say is frozen to its bottom', async (t) => {
  const { owner, store } = await publishedStore(t)
  owner.set('k', deep(3000) as never)
  let part = store.get<unknown[]>('k') as unknown
  let depth = 0
  for (; Array.isArray(part) && Object.isFrozen(part); part = part[0]) depth++
  t.equal(depth, 3000)
})

t.test('a toJSON that uses the store, or closes it, is between two changes', async (t) => {
  const { owner, store } = await publishedStore(t)
  const nested = {
    toJSON() {
      owner.set('k', 'inner')
      return 'outer'
    },
  }
  owner.set('k', nested as never)
  t.equal(owner.get('k'), 'outer')
  const version = owner.set('k', 'before')
  t.throws(() => owner.set('k', nested as never, { ifVersion: version }), { code: 'ERR_CONFLICT' })
  t.equal(owner.get('k'), 'inner')
  t.throws(() => owner.update([{ key: 'a', value: nested as never, ifVersion: 7n }]), { code: 'ERR_CONFLICT' })
  const closing = {
    toJSON() {
      store.close()
      return 1
    },
  }
  await t.rejects(store.set('k', closing as never), { code: 'ERR_CLOSED' })
  const ending = {
    toJSON() {
      owner.close()
      return 1
    },
  }
  t.throws(() => owner.set('k', ending as never), { code: 'ERR_CLOSED' })
})

t.test('bytes are those of the moment of the call, also while the owner is away', async (t) => {
  const { owner, store } = await publishedStore(t)
  const bytes = Buffer.from('now')
  const setting = store.set('k', bytes)
  bytes.fill('x')
  await setting
  t.equal(String(Buffer.from(owner.get('k') as Uint8Array)), 'now')
})

t.test('arguments of the wrong kind are said by a code', async (t) => {
  const { owner, store } = await publishedStore(t)
  const code = (act: () => unknown) => {
    try {
      act()
      return 'none'
    } catch (error) {
      return (error as { code?: string }).code ?? String(error)
    }
  }
  for (const reader of [owner, store]) {
    for (const which of [null, undefined])
      t.equal(
        code(() => reader.snapshot(which as never)),
        'ERR_NULL_POINTER',
      )
    for (const which of ['k', 5, {}, { prefix: 5 }, [5], new Map()]) {
      t.match(
        code(() => reader.snapshot(which as never)),
        /ERR_INVALID_ARG_TYPE|ERR_NULL_POINTER/,
      )
    }
    t.equal(
      code(() => reader.snapshot([''])),
      'ERR_INVALID_ARG_VALUE',
    )
    t.equal(
      code(() => reader.keys(5 as never)),
      'ERR_INVALID_ARG_TYPE',
    )
  }
  for (const options of [{ ifVersion: 1 }, { ttlMs: '1' }, { timeoutMs: '1' }, { signal: {} }, 5]) {
    await t.rejects(store.set('k', 1, options as never), { code: 'ERR_INVALID_ARG_TYPE' })
  }
  for (const options of [
    { ttlMs: 0 },
    { ttlMs: -1 },
    { ttlMs: Number.NaN },
    { timeoutMs: 0 },
    { ifVersion: 1n << 64n },
  ]) {
    await t.rejects(store.set('k', 1, options), { code: 'ERR_OUT_OF_RANGE' })
  }
  for (const edits of [5, {}, () => [], { [Symbol.iterator]: 5 }, 'k']) {
    await t.rejects(store.update(edits as never), { code: 'ERR_INVALID_ARG_TYPE' })
    t.equal(
      code(() => owner.update(edits as never)),
      'ERR_INVALID_ARG_TYPE',
    )
  }
  for (const prefix of [5, null, ['k'], Buffer.from('k')]) {
    t.match(
      code(() => store.changes(prefix as never)),
      /ERR_INVALID_ARG_TYPE|ERR_NULL_POINTER/,
    )
  }
  for (const options of [5, 'options', []]) {
    t.equal(
      code(() => new OwnedStore(options as never)),
      'ERR_INVALID_ARG_TYPE',
    )
  }
  await t.rejects(store.update([null as never]), { code: 'ERR_NULL_POINTER' })
  t.equal(store.size, 0)
})

t.test('a prefix that no key has is the beginning of none', async (t) => {
  const { owner, store } = await publishedStore(t)
  for (const key of ['\ufffd', '😀', 'k']) owner.set(key, 1)
  for (const prefix of ['\ud83d', '\ude00', '\n', 'x'.repeat(513), 'kk']) {
    t.same(store.keys(prefix), [])
    t.same(store.entries(prefix), [])
    t.equal(store.snapshot({ prefix }).size, 0)
    t.equal(owner.snapshot({ prefix }).size, 0)
  }
  t.throws(() => store.changes('\ud83d'), { code: 'ERR_INVALID_ARG_VALUE' })
})

t.test('mayWrite that does not return a boolean allows nothing', async (t) => {
  const { store } = await publishedStore(t, { mayWrite: (async () => true) as never })
  await t.rejects(store.set('k', 1), { code: 'ERR_SECURITY' })
})
