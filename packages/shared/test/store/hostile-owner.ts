/** Owners that lie: a reader gets an error, or a wrong value, and lives. */
import { AreaWriter, areaTypes, constants, ftruncate, memfdCreate, type OwnedFd, pipe } from 'memfd-native'
import t, { type Test } from 'tap'
import * as api from '../../src/index.ts'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)
support.watchdog(t)

/** Answers whatever it is made of. */
class LyingOwner extends api.IStore.Stub implements Partial<api.ImplementationOf<typeof api.IStore>> {
  listener: api.IBinder | null = null
  readonly #areas: () => support.HandedArea[]

  constructor(areas: () => support.HandedArea[]) {
    super()
    this.#areas = areas
  }

  open(listener: api.IBinder | null): support.HandedArea[] {
    this.listener = listener
    return this.#areas()
  }

  set(): support.Outcome {
    return { isConflict: true, version: -5n, edit: 2_000_000_000 }
  }

  update(): support.Outcome {
    return { isConflict: true, version: 2n ** 62n, edit: -1 }
  }

  begin(): number {
    return 7
  }

  part(): void {}

  commit(): support.Outcome {
    return { isConflict: false, version: 3n, edit: 0 }
  }
}

/** Finds one service, and no other. */
function managerOf(binder: api.IBinder): api.ServiceManager {
  return Object.create(api.ServiceManager.prototype, {
    getService: { value: async () => binder },
    close: { value: () => undefined },
  }) as api.ServiceManager
}

async function openLying(t: Test, areas: () => support.HandedArea[]) {
  const owner = new LyingOwner(areas)
  const { proxy } = support.sessionPair(t, owner)
  const store = await api.SharedStore.open('store', { manager: managerOf(proxy) })
  t.teardown(() => store.close())
  return { store, owner }
}

const handed = (descriptor: api.ParcelFileDescriptor, patterns = ['*']): support.HandedArea[] => [
  { patterns, descriptor },
]

function areaOf(t: Test): AreaWriter {
  const writer = AreaWriter.create({ capacity: support.MIB, maxKeys: 64, base: 1n })
  t.teardown(() => writer.close())
  return writer
}

t.test('a region that is not an area, or could shrink, is not mapped', async (t) => {
  const cases: [() => OwnedFd, string][] = [
    [
      () => {
        const [read, write] = pipe()
        write.close()
        return read
      },
      'ERR_NOT_A_REGION',
    ],
    [
      () => {
        const fd = memfdCreate('unsealed', constants.MFD_ALLOW_SEALING)
        ftruncate(fd, support.MIB)
        return fd
      },
      'ERR_UNSAFE_REGION',
    ],
  ]
  for (const [make, code] of cases) {
    await t.rejects(
      openLying(t, () => handed(support.own(make()))),
      { code },
    )
  }
})

t.test('a store of no areas has no keys, and patterns may be anything', async (t) => {
  const { store } = await openLying(t, () => [])
  t.same(
    [store.get('k'), store.keys(), store.size, store.has('k'), [...store.snapshot(['k'])]],
    [undefined, [], 0, false, []],
  )
  t.equal(store.entry('k').value, undefined)
  t.equal(store.readBytes('k', Buffer.alloc(1)), -1)
  store.close()
  for (const act of [() => store.get('k'), () => store.keys(), () => store.size, () => store.snapshot(['k'])]) {
    t.throws(act, { code: 'ERR_CLOSED' })
  }
  const writer = areaOf(t)
  writer.put('k', areaTypes.JSON, Buffer.from('1'))
  const odd = await openLying(t, () => handed(support.own(writer.share()), ['', '**', '\ud800*', 'k'.repeat(1000)]))
  t.equal(odd.store.get('k'), undefined)
})

t.test('values that nest a million deep, are no JSON, or no UTF-8', async (t) => {
  const writer = AreaWriter.create({ capacity: 8 * support.MIB, maxKeys: 64, base: 1n })
  t.teardown(() => writer.close())
  const { store } = await openLying(t, () => handed(support.own(writer.share())))
  const depth = 1_000_000
  writer.put('deep', areaTypes.JSON, Buffer.from('['.repeat(depth) + ']'.repeat(depth)))
  t.ok(Object.isFrozen(store.get('deep')))
  for (const bytes of ['', '{', 'undefined', '\xff\xfe']) {
    writer.put('bad', areaTypes.JSON, Buffer.from(bytes, 'latin1'))
    t.throws(() => store.get('bad'), { code: 'ERR_BAD_PARCEL' })
    t.equal(store.entries().length, 2)
    t.equal(store.getEntry.length, 1)
  }
  writer.put('bad', areaTypes.JSON, Buffer.from('{"__proto__":{"polluted":1}}'))
  t.equal((store.get('bad') as { polluted?: number }).polluted, undefined)
  t.equal(({} as { polluted?: number }).polluted, undefined)
})

t.test('answers that cannot be true are errors of the call', async (t) => {
  const writer = areaOf(t)
  const { store } = await openLying(t, () => handed(support.own(writer.share())))
  await t.rejects(store.set('k', 1), { code: 'ERR_CONFLICT', key: 'k', version: -5n })
  await t.rejects(store.update([{ key: 'k', value: 1 }]), { code: 'ERR_CONFLICT', key: '' })
  t.equal(await store.set('large', Buffer.alloc(500_000)), 3n)
  await t.rejects(store.delete('k'), { code: 'ERR_UNKNOWN_TRANSACTION' })
})

t.test('areas that are brought again and again leave nothing behind', async (t) => {
  const writer = areaOf(t)
  writer.put('k', areaTypes.JSON, Buffer.from('1'))
  const { store, owner } = await openLying(t, () => handed(support.own(writer.share())))
  if (owner.listener === null) throw new Error('there is no listener')
  const listener = api.IStoreListener.asInterface(owner.listener)
  for (let i = 0; i < 100; i++) {
    const descriptor = support.own(writer.share())
    await listener.onAreas(handed(descriptor))
    descriptor.close()
  }
  await store.set('k', 1).catch(() => undefined)
  t.equal(store.get('k'), 1)
})

t.test('an area that is changed at random while it is read', async (t) => {
  const bytes = support.MIB
  const source = areaOf(t)
  for (let i = 0; i < 50; i++) source.put(`key/${i}`, areaTypes.JSON, Buffer.from(JSON.stringify({ i })))
  const { Mapping, mmap, addSeals, reopen } = await import('memfd-native')
  const fd = memfdCreate('changed', constants.MFD_ALLOW_SEALING)
  ftruncate(fd, bytes)
  addSeals(fd, constants.F_SEAL_SHRINK)
  const writable = Mapping.map(fd, bytes, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED)
  const whole = Buffer.alloc(bytes)
  const original = source.share()
  const readable = Mapping.map(original, bytes, mmap.PROT_READ, mmap.MAP_SHARED)
  readable.read(0, whole, 0, bytes)
  readable.unmap()
  original.close()
  writable.write(0, whole, 0, bytes)
  const { store } = await openLying(t, () => handed(support.own(reopen(fd, constants.O_RDONLY))))
  t.same(store.get('key/7'), { i: 7 })
  let seed = 1
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
    return seed % below
  }
  const target = Buffer.alloc(64)
  const codes = new Set<unknown>()
  const attempt = (act: () => unknown) => {
    try {
      act()
    } catch (error) {
      codes.add((error as { code?: unknown }).code)
    }
  }
  for (let round = 0; round < 3000; round++) {
    const at = (random(2) === 0 ? random(40_000) : random(bytes / 8 - 8)) & ~3
    writable.writeInt32LE(at >= 128 ? at : 128, random(2) === 0 ? random(2 ** 31) : -1)
    const key = `key/${random(50)}`
    attempt(() => store.get(key))
    attempt(() => store.getEntry(key))
    attempt(() => store.readBytes(key, target))
    if (round % 100 === 0)
      for (const act of [() => store.keys(), () => store.entries(), () => store.size, () => store.status]) attempt(act)
    if (round % 500 === 499) writable.write(0, whole, 0, bytes)
  }
  writable.write(0, whole, 0, bytes)
  let refused = 0
  for (let at = 128; at < bytes && refused < 20; at += 4) {
    const word = writable.readInt32LE(at)
    writable.writeInt32LE(at, -1)
    try {
      void store.changes().return()
    } catch (error) {
      t.equal(api.errorCode(error), 'ERR_BAD_PARCEL')
      refused += 1
    }
    writable.writeInt32LE(at, word)
  }
  t.equal(refused, 20)
  const leaks: unknown[] = []
  const report = (warning: Error) => leaks.push(warning.message)
  process.on('warning', report)
  t.teardown(() => process.off('warning', report))
  for (let i = 0; i < 10; i++) {
    support.collectGarbage()
    await new Promise(setImmediate)
  }
  t.same(leaks, [], 'loops that did not begin hold nothing')
  for (const code of codes)
    t.ok(['ERR_BAD_PARCEL', 'ERR_LIMIT', 'ERR_INVALID_ARG_VALUE'].includes(String(code)), String(code))
  writable.unmap()
  fd.close()
})
