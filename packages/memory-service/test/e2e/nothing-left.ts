/** Clients that come and go leave nothing behind: neither in the daemon nor in themselves. */
import {
  type BinderProxy,
  DEFAULT_SERVICE_NAME,
  IMemoryService,
  MemoryFile,
  type ParcelFileDescriptor,
  ServiceManager,
  type SharedValue,
} from '@memsvc/shared'
import { REGION_BYTES } from '@memsvc/shared/internal'
import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import { countDescriptors, countRegionMappings } from '../../src/process/process-status.ts'
import { startMemclient, startMemsvc } from '../../test-support/memsvc.ts'
import { openValue, statusOf } from '../../test-support/value.ts'

const ROUNDS = 2000

watchdog(t)
leakChecked(t)

/** What the daemon and this process hold, besides what belongs to `value`. */
async function holdings(value: SharedValue) {
  const { fds, mappings, channels, connections, watchers } = await statusOf(value)
  const own = { fds: countDescriptors(), mappings: countRegionMappings() }
  return { daemon: { fds, mappings, channels, connections, watchers }, own }
}

/** The same, once the daemon has heard of every end: that takes it a moment. */
async function settledHoldings(value: SharedValue, before: { daemon: { connections: number; channels: number } }) {
  for (;;) {
    const now = await holdings(value)
    const { connections, channels } = before.daemon
    if (now.daemon.connections === connections && now.daemon.channels === channels) return now
  }
}

t.test(`${ROUNDS} rounds of connect, getService, getFileDescriptor, map, read, close`, async (t) => {
  const { registry } = await startMemsvc(t)
  const value = await openValue(t, registry)
  await value.set(42)
  const before = await holdings(value)
  let wrong = 0
  for (let round = 0; round < ROUNDS; round++) {
    using manager = await ServiceManager.connect({ path: registry })
    using service = (await manager.getService(DEFAULT_SERVICE_NAME)) as BinderProxy
    using descriptor = (await IMemoryService.asInterface(service).getFileDescriptor()) as ParcelFileDescriptor
    using file = new MemoryFile(descriptor.getFileDescriptor(), REGION_BYTES, 'r')
    if (file.readInt32BE(0) !== 42) wrong += 1
  }
  t.equal(wrong, 0)
  t.strictSame(await settledHoldings(value, before), before)
})

t.test('clients that are killed in the middle of it', async (t) => {
  const { registry } = await startMemsvc(t)
  const value = await openValue(t, registry)
  const before = await holdings(value)
  const clients = Array.from({ length: 10 }, () => startMemclient(t, registry, ['watch']))
  await Promise.all(clients.map((client) => client.stdout.next()))
  t.match(await statusOf(value), { watchers: 10, channels: before.daemon.channels + 10 })
  await Promise.all(clients.map((client) => client.destroy()))
  t.strictSame((await settledHoldings(value, before)).daemon, before.daemon)
})
