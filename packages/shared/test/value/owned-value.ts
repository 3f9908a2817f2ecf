/** The owner's half of a value, published in this process and opened by clients of other processes and of this one. */

import { constants, fstat, getSeals } from 'memfd-native'
import t, { type Test } from 'tap'
import { IMemoryService, MemoryFile, OwnedValue, type OwnedValueOptions, Parcel, SharedValue } from '../../src/index.ts'
import { connect, leakChecked, startRegistry, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

function ownValue(t: Test, options?: OwnedValueOptions): OwnedValue {
  const value = new OwnedValue(options)
  t.teardown(() => value.close())
  return value
}

/** A value published under a name, and a client of it that came by the registry. */
async function published(t: Test, options?: OwnedValueOptions) {
  const { registry } = await startRegistry(t, { command: 'registry' })
  const owner = await connect(t, registry)
  const owned = ownValue(t, options)
  await owner.addService('counter', owned.binder)
  const shared = await SharedValue.open(await connect(t, registry), 'counter')
  t.teardown(() => shared.close())
  return { owned, shared }
}

t.test('a value that is published in three lines is read, set and watched by a client', async (t) => {
  const { owned, shared } = await published(t)
  owned.set(41)
  t.equal(shared.get(), 41)
  await shared.set(42)
  t.equal(owned.get(), 42)
  const seen: number[] = []
  for await (const value of shared.changes()) {
    seen.push(value)
    if (value === 43) break
    owned.set(43)
  }
  t.strictSame(seen, [42, 43])
  t.equal(owned.watchers, 0)
})

t.test('a value begins as it is told to, and takes every int32 and nothing else', async (t) => {
  t.equal(ownValue(t, { initialValue: -7 }).get(), -7)
  const value = ownValue(t)
  t.equal(value.get(), 0)
  for (const number of [1, -1, 2_147_483_647, -2_147_483_648, 0]) {
    value.set(number)
    t.equal(value.get(), number)
  }
  value.set(5)
  for (const wrong of [2_147_483_648, 1.5, Number.NaN]) t.throws(() => value.set(wrong), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => value.set('6' as unknown as number), { code: 'ERR_INVALID_ARG_TYPE' })
  t.equal(value.get(), 5)
  t.throws(() => new OwnedValue({ initialValue: 2 ** 31 }), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => new OwnedValue({ mayWrite: true as never }), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => new OwnedValue(7 as never), { code: 'ERR_INVALID_ARG_TYPE' })
})

t.test('a change is told once, setting the same value again is none', async (t) => {
  const changes: number[] = []
  const value = ownValue(t)
  value.onChange = (now) => changes.push(now)
  for (const number of [0, 5, 5, 6, 5]) value.set(number)
  t.strictSame(changes, [5, 6, 5])
})

t.test('the region is sealed against everybody before anybody has a descriptor of it', async (t) => {
  const region = ownValue(t).file.getFileDescriptor().getInt()
  const { F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_FUTURE_WRITE } = constants
  const seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE
  t.equal(getSeals(region) & seals, seals)
  t.match(fstat(region), { size: 4 })
  t.equal(fstat(region).mode & 0o7777, 0o400)
})

t.test('each caller gets a read-only descriptor of its own, and reads what is written later', async (t) => {
  const value = ownValue(t)
  const service = IMemoryService.asInterface(value.binder)
  using first = await service.getFileDescriptor()
  using second = await service.getFileDescriptor()
  if (first === null || second === null) throw new Error('no region')
  t.not(first.getFd(), second.getFd())
  t.equal(fstat(first.getFd()).ino, fstat(second.getFd()).ino)
  using view = new MemoryFile(first.getFileDescriptor(), 4, 'r')
  value.set(42)
  t.equal(view.readInt32BE(0), 42)
})

t.test('who may not write is refused by the caller that the kernel names, and the value stands', async (t) => {
  const asked: object[] = []
  const { owned, shared } = await published(t, {
    initialValue: 3,
    mayWrite: (caller) => {
      asked.push(caller)
      return false
    },
  })
  await t.rejects(shared.set(4), { code: 'ERR_SECURITY' })
  t.equal(owned.get(), 3)
  t.strictSame(asked, [{ uid: process.getuid?.(), pid: process.pid }])
})

t.test('mayWrite that does not return a boolean allows nothing', async (t) => {
  for (const mayWrite of [async () => true, () => undefined, () => 1, () => ({})]) {
    const { owned, shared } = await published(t, { initialValue: 3, mayWrite: mayWrite as never })
    await t.rejects(shared.set(4), { code: 'ERR_SECURITY' }, `${mayWrite}`)
    t.equal(owned.get(), 3)
  }
})

t.test("a code that is nobody's is unknown, and told", async (t) => {
  const { binder } = ownValue(t)
  const [data, reply] = [Parcel.obtain(), Parcel.obtain()]
  for (const code of [1000, 1004, 1101]) t.equal(await binder.transact(code, data, reply), false)
  data.recycle()
  reply.recycle()
})

t.test('the last value outlives its owner for who has it mapped, and close() twice is close() once', async (t) => {
  const { owned, shared } = await published(t, { initialValue: 9 })
  owned.close()
  owned.close()
  t.equal(shared.get(), 9)
  t.throws(() => owned.get(), { code: 'ERR_DEACTIVATED' })
  t.throws(() => owned.set(1), { code: 'ERR_DEACTIVATED' })
})

t.test('a client cannot leave more callbacks than its share, and the others are served', async (t) => {
  const { owned, shared } = await published(t)
  const loops = Array.from({ length: 257 }, () => shared.changes())
  const started = await Promise.allSettled(loops.map((loop) => loop.next()))
  const refused = started.filter(({ status }) => status === 'rejected')
  t.equal(refused.length, 1)
  t.match(refused[0], { reason: { code: 'ERR_LIMIT' } })
  t.equal(owned.watchers, 256)
  owned.set(1)
  t.equal((await loops[0]?.next())?.value, 1)
  await Promise.all(loops.map((loop) => loop.return()))
  while (owned.watchers > 0) await new Promise(setImmediate) // the last of them may be on their way
  t.equal(owned.watchers, 0)
})
