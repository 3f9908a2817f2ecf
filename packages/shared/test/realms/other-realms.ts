/** Bytes, signals and errors are known by what they are: those of another realm (node:vm), of jsdom's kind, and stand-ins. */
import { createContext, runInContext } from 'node:vm'
import t, { type Test } from 'tap'
import * as api from '../../src/index.ts'
import * as support from '../../test-support/index.ts'

const { connect, leakChecked, onceUp, sessionPair, startRegistry, warningsOf, watchdog } = support
const {
  Binder,
  MemoryFile,
  OwnedStore,
  Parcel,
  ParcelFileDescriptor,
  ServiceManager,
  SharedMemory,
  SharedStore,
  SharedValue,
  defineInterface,
} = api

leakChecked(t)
watchdog(t)

const realm = createContext({})
const run = <T>(code: string): T => runInContext(code, realm) as T

/** Eight bytes, 1 to 8, of different makes. */
const makes: Record<string, () => Uint8Array> = {
  'a Uint8Array of another realm': () => run('new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8])'),
  'one over an ArrayBuffer of another realm': () =>
    new Uint8Array(run<ArrayBuffer>('new Uint8Array([1,2,3,4,5,6,7,8]).buffer')),
  'a class of another realm': () => run('new (class Bytes extends Uint8Array {})([1, 2, 3, 4, 5, 6, 7, 8])'),
  "a bundler's Buffer": () =>
    Object.setPrototypeOf(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]), Object.create(Uint8Array.prototype)),
}

for (const [make, bytes] of Object.entries(makes)) {
  t.test(`${make} is written and read by a memory file and its streams`, (t) => {
    const file = new MemoryFile('realm', 8)
    file.writeBytes(bytes(), 0, 0, 8)
    const target = bytes().fill(0)
    t.equal(file.readBytes(target, 0, 0, 8), 8)
    t.same([...target], [1, 2, 3, 4, 5, 6, 7, 8])
    const output = file.getOutputStream()
    output.write(bytes(), 0, 4)
    const input = file.getInputStream()
    t.equal(input.read(target.fill(0), 0, 4), 4)
    t.same([...target], [1, 2, 3, 4, 0, 0, 0, 0])
    file.close()
    t.end()
  })

  t.test(`${make} is mapped memory's, a parcel's, a region's`, (t) => {
    using memory = SharedMemory.create('realm', 8)
    const mapping = memory.mapReadWrite()
    mapping.writeBytes(bytes(), 0, 0, 8)
    t.equal(mapping.get(7), 8)
    SharedMemory.unmap(mapping)
    const parcel = Parcel.obtain()
    parcel.writeByteArray(bytes())
    parcel.writeBlob(bytes())
    parcel.setDataPosition(0)
    t.same([...(parcel.readByteArray() ?? [])], [1, 2, 3, 4, 5, 6, 7, 8])
    t.same([...(parcel.readBlob() ?? [])], [1, 2, 3, 4, 5, 6, 7, 8])
    const marshalled = run<(source: Uint8Array) => Uint8Array>('(source) => new Uint8Array(source)')(
      (() => {
        const plain = Parcel.obtain()
        plain.writeByteArray(bytes())
        const raw = plain.marshall()
        plain.recycle()
        return raw
      })(),
    )
    parcel.unmarshall(marshalled, 0, marshalled.length)
    parcel.setDataPosition(0)
    t.same([...(parcel.readByteArray() ?? [])], [1, 2, 3, 4, 5, 6, 7, 8])
    parcel.recycle()
    ParcelFileDescriptor.fromData(bytes(), 'realm')?.close()
    t.end()
  })

  t.test(`${make} is a value of a store`, async (t) => {
    const { registry } = await startRegistry(t)
    const manager = await connect(t, registry)
    using owner = new OwnedStore()
    owner.set('own', bytes())
    await manager.addService('store', owner.binder)
    using store = await SharedStore.open('store', { manager: await connect(t, registry) })
    await store.set('bytes', bytes())
    await store.update([{ key: 'updated', value: bytes() }])
    for (const key of ['own', 'bytes', 'updated']) t.same([...(store.getBytes(key) ?? [])], [1, 2, 3, 4, 5, 6, 7, 8])
    const target = bytes().fill(0)
    t.equal(store.readBytes('bytes', target), 8)
    t.same([...target], [1, 2, 3, 4, 5, 6, 7, 8])
  })
}

t.test('an object that only claims to be bytes is refused', (t) => {
  const file = new MemoryFile('realm', 8)
  for (const wrong of [
    new Proxy(new Uint8Array(8), {}),
    Object.create(Uint8Array.prototype),
    run('new DataView(new ArrayBuffer(8))'),
    run('new ArrayBuffer(8)'),
    { length: 8, [Symbol.toStringTag]: 'Uint8Array' },
  ]) {
    t.throws(() => file.writeBytes(wrong as Uint8Array, 0, 0, 8), { code: 'ERR_INVALID_ARG_TYPE' })
    t.throws(() => file.readBytes(wrong as Uint8Array, 0, 0, 8), { code: 'ERR_INVALID_ARG_TYPE' })
  }
  file.close()
  t.end()
})

t.test('arrays and typed arrays of another realm are lists of a parcel', (t) => {
  const parcel = Parcel.obtain()
  parcel.writeIntArray(run('[1, 2, 3]'))
  parcel.writeIntArray(run('new Int32Array([4, 5])'))
  parcel.setDataPosition(0)
  t.same(
    [parcel.readIntArray(), parcel.readIntArray()],
    [
      [1, 2, 3],
      [4, 5],
    ],
  )
  parcel.recycle()
  t.end()
})

/** An AbortSignal as jsdom and older polyfills make it: an event target of their own, of no class that Node knows. */
class ForeignSignal {
  aborted = false
  reason: unknown
  readonly #listeners = new Set<() => void>()

  addEventListener(_type: string, listener: () => void): void {
    this.#listeners.add(listener)
  }

  removeEventListener(_type: string, listener: () => void): void {
    this.#listeners.delete(listener)
  }

  get listeners(): number {
    return this.#listeners.size
  }

  abort(): void {
    this.aborted = true
    this.reason = 'enough'
    for (const listener of this.#listeners) listener()
  }
}

function foreign(): { signal: AbortSignal; abort: () => void; listeners: () => number } {
  const signal = new ForeignSignal()
  return { signal: signal as unknown as AbortSignal, abort: () => signal.abort(), listeners: () => signal.listeners }
}

async function aborts(t: Test, wait: (signal: AbortSignal) => Promise<unknown>): Promise<number> {
  const { signal, abort, listeners } = foreign()
  const waiting = wait(signal)
  setImmediate(abort)
  await t.rejects(waiting, { code: 'ABORT_ERR', cause: 'enough' })
  return listeners()
}

t.test('a signal that is none of ours ends every wait', async (t) => {
  const { registry, program } = await startRegistry(t, { command: 'start' })
  const manager = await connect(t, registry)
  t.equal(await aborts(t, (signal) => manager.waitForService('nobody', { signal })), 0)
  using value = await SharedValue.open(manager)
  const { signal, abort } = foreign()
  for await (const _ of value.changes({ signal })) setImmediate(abort)
  using store = await SharedStore.open(undefined, { manager })
  const other = foreign()
  setImmediate(other.abort)
  for await (const _ of store.changes('', { signal: other.signal })) t.fail('nothing changes')
  await ServiceManager.connect({ path: registry, signal: foreign().signal }).then((connected) => connected.close())
  program.kill('SIGSTOP')
  await aborts(t, (waiting) => store.set('key', 1, { signal: waiting }))
  program.kill('SIGCONT')
  await onceUp(() => store.set('key', 2))
})

t.test('an error of another realm travels by its code, and a fault is told with its stack', async (t) => {
  const IFail = defineInterface('test.IFail', { fail: { code: 1, args: [] } })
  class Fail extends IFail.Stub {
    fail(): void {
      throw run("Object.assign(new Error('not you'), { code: 'ERR_SECURITY' })")
    }
  }
  const { proxy } = sessionPair(t, new Fail())
  await t.rejects(async () => IFail.asInterface(proxy).fail(), { code: 'ERR_SECURITY', message: 'not you' })
  const warnings = warningsOf(t)
  class Faulty extends Binder {
    override onTransact(): boolean {
      throw run("(function inTheOtherRealm() { return new RangeError('a fault') })()")
    }
  }
  const faulty = sessionPair(t, new Faulty())
  const data = Parcel.obtain()
  await faulty.proxy.transact(1, data)
  data.recycle()
  const [warning] = await warnings.next(1)
  t.match(warning?.message, /RangeError: a fault\n.*inTheOtherRealm/)
})
