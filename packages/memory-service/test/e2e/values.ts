/** Values as clients write, read and watch them. */
import { IMemoryService, Parcel, type SharedValue } from '@memsvc/shared'
import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import { memclient, openValue, startMemclient, startMemsvc, statusOf } from '../../test-support/index.ts'

const EXTREMES = [0, 42, -1, 2147483647, -2147483648, 1, -2147483647, 0x01020304]

const SLEPT_THROUGH = 5000

watchdog(t)
leakChecked(t)

/** Takes values of a watch until this one comes; answers all that came. */
async function valuesUntil(changes: AsyncGenerator<number>, last: number): Promise<number[]> {
  const seen: number[] = []
  for await (const value of changes) {
    seen.push(value)
    if (value === last) break
  }
  return seen
}

t.test('every int32 goes in by a call and comes out of the memory', async (t) => {
  const { registry } = await startMemsvc(t)
  const writer = await openValue(t, registry)
  const reader = await openValue(t, registry)
  for (const value of EXTREMES) {
    await writer.set(value)
    t.equal(reader.get(), value)
    t.equal((await statusOf(reader)).value, value)
    t.match(await memclient(registry, ['read']), { code: 0, stdout: String(value) }, 'in another process too')
  }
})

t.test('the value lies in the region as one big-endian int32', async (t) => {
  const { registry } = await startMemsvc(t)
  const value = await openValue(t, registry)
  await value.set(0x01020304)
  const bytes = Buffer.alloc(4)
  value.file.readBytes(bytes, 0, 0, 4)
  t.strictSame([...bytes], [1, 2, 3, 4])
})

t.test('a value that is not an int32 is refused by the caller, and the old value stays', async (t) => {
  const { registry } = await startMemsvc(t)
  const value = await openValue(t, registry)
  await value.set(42)
  for (const bad of [2147483648, -2147483649, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    await t.rejects(value.set(bad), { code: 'ERR_OUT_OF_RANGE' })
  }
  await t.rejects(value.set('7' as unknown as number), { code: 'ERR_INVALID_ARG_TYPE' })
  t.equal(value.get(), 42)
})

t.test('a write without its value writes nothing', async (t) => {
  const { registry } = await startMemsvc(t)
  const value = await openValue(t, registry)
  await value.set(42)
  const [data, reply] = [Parcel.obtain(), Parcel.obtain()]
  data.writeString('no interface token')
  await value.binder.transact(IMemoryService.TRANSACTION_setValue, data, reply)
  t.throws(() => reply.readException(), { code: 'ERR_SECURITY' })
  t.equal(value.get(), 42)
  data.recycle()
  reply.recycle()
})

t.test('if many write at once, the last one wins, and every reader agrees', async (t) => {
  const { registry } = await startMemsvc(t)
  const values = await Promise.all(Array.from({ length: 20 }, () => openValue(t, registry)))
  await Promise.all(
    values.map(async (value, i) => {
      for (let round = 0; round < 100; round++) await value.set(i * 1000 + round)
    }),
  )
  const last = new Set(values.map((value) => value.get()))
  t.equal(last.size, 1)
  const [value] = last
  t.equal((value ?? 0) % 1000, 99, 'it is somebody’s last one')
})

t.test('a hundred watchers all see the last value, and nothing that was not written', async (t) => {
  const { registry } = await startMemsvc(t)
  const writer = await openValue(t, registry)
  const watchers = await Promise.all(Array.from({ length: 100 }, () => openValue(t, registry)))
  const LAST = 300
  const seen = Promise.all(watchers.map((value) => valuesUntil(value.changes(), LAST)))
  while ((await statusOf(writer)).watchers < watchers.length);
  for (let value = 1; value <= LAST; value++) await writer.set(value)
  for (const values of await seen) {
    t.equal(values.at(-1), LAST)
    t.strictSame(
      [...values].sort((a, b) => a - b),
      values,
      'in the order they were written',
    )
  }
  t.equal((await statusOf(writer)).watchers, 0, 'who has seen enough is no watcher any more')
})

t.test('a stopped watcher holds nobody up, and sees the last value when it goes on', async (t) => {
  const { registry } = await startMemsvc(t)
  const writer = await openValue(t, registry)
  const stopped = startMemclient(t, registry, ['watch'])
  t.equal(await stopped.stdout.next(), '0')
  stopped.kill('SIGSTOP')
  const other = await openValue(t, registry)
  const seen = valuesUntil(other.changes(), SLEPT_THROUGH)
  for (let value = 1; value <= SLEPT_THROUGH; value++) await writer.set(value)
  t.equal((await seen).at(-1), SLEPT_THROUGH)
  t.equal((await statusOf(writer)).watchers, 1, 'it is still a watcher')
  stopped.kill('SIGCONT')
  const last = String(SLEPT_THROUGH)
  t.equal(await stopped.stdout.find((line) => line === last), last)
  const { length } = stopped.stdout.text.split('\n')
  t.ok(length <= 4, `what it slept through is told as one change: ${length} lines`)
})

t.test('a watcher that comes and goes all the time costs nothing in the end', async (t) => {
  const { registry } = await startMemsvc(t)
  const value: SharedValue = await openValue(t, registry)
  const before = await statusOf(value)
  // More than a channel has room for objects: each watch is a new one.
  for (let round = 1; round <= 5000; round++) {
    const changes = value.changes()
    await changes.next()
    await changes.return()
  }
  await value.set(7)
  t.equal(value.get(), 7)
  t.match(await statusOf(value), { watchers: 0, channels: before.channels, fds: before.fds, mappings: before.mappings })
})
