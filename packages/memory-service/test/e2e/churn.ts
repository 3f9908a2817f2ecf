/** Bursts of clients leave the daemon as large as it was: what they brought is not kept for the next ones. */
import { Binder, IMemoryService, IWatch, Parcel, ServiceManager, SharedValue } from '@memsvc/shared'
import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import { nodeFs, openValue, startMemsvc, statusOf } from '../../test-support/index.ts'

watchdog(t)
leakChecked(t)

const MIB = 1024 * 1024
const CLIENTS = 64
/** So many that they stay below the limit of what is held for all. */
const AT_ONCE = 8
const CALLS = 4
/** In a parcel: all of them together are four times what may be left. */
const BYTES = 900_000
const MAY_STAY = (CLIENTS * CALLS * BYTES) / 4
/** Node itself grows to its usual size. */
const WARMING = 3
const ROUNDS = 3

function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(nodeFs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
}

/** Everything that a client may have, and parcels that are as large as they may be. */
async function comeAndGo(registry: string): Promise<void> {
  names += 1
  const name = `churn.${names}`
  using manager = await ServiceManager.connect({ path: registry })
  using value = await SharedValue.open(manager)
  await manager.registerForNotifications('AnonymousSharedMemory', () => undefined)
  await manager.addService(name, new Binder())
  await IWatch.asInterface(value.binder).watch(new Binder())
  for (let i = 0; i < CALLS; i++) await callWithALot(value)
}
let names = 0

async function callWithALot({ binder }: SharedValue): Promise<void> {
  const data = Parcel.obtain(binder)
  const reply = Parcel.obtain(binder)
  data.writeInterfaceToken(IMemoryService.DESCRIPTOR)
  data.writeInt(1)
  data.writeByteArray(new Uint8Array(BYTES))
  await binder.transact(IMemoryService.TRANSACTION_setValue, data, reply)
  data.recycle()
  reply.recycle()
}

async function burst(registry: string): Promise<void> {
  for (let i = 0; i < CLIENTS; i += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, () => comeAndGo(registry)))
  }
}

t.test(`${ROUNDS} bursts of ${CLIENTS} clients`, async (t) => {
  const { registry, program } = await startMemsvc(t)
  const value = await openValue(t, registry)
  const used = (await statusOf(value)).used
  for (let round = 0; round < WARMING; round++) await burst(registry)
  const before = residentBytes(program.pid)
  for (let round = 0; round < ROUNDS; round++) await burst(registry)
  // Its collector comes when it likes, but sooner where something is done. What stays for good ends at the watchdog.
  while (residentBytes(program.pid) > before + MAY_STAY) await comeAndGo(registry)
  t.pass(`it has ${Math.round((residentBytes(program.pid) - before) / MIB)} MiB more`)
  while (JSON.stringify((await statusOf(value)).used) !== JSON.stringify(used)) await new Promise(setImmediate)
})
