/** Clients that come and go leave nothing behind: neither in the daemon nor in themselves. */
import * as shared from '@memsvc/shared'
import { REGION_BYTES } from '@memsvc/shared/internal'
import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import * as support from '../../test-support/index.ts'

const ROUNDS = 2000

watchdog(t)
leakChecked(t)

/** What the daemon and this process hold, besides what belongs to `value`. */
async function holdings(value: shared.SharedValue) {
  const { fds, mappings, channels, connections, watchers } = await support.statusOf(value)
  const own = { fds: support.countDescriptors(), mappings: support.countRegionMappings() }
  return { daemon: { fds, mappings, channels, connections, watchers }, own }
}

/** The same, once the daemon has heard of every end: that takes it a moment. */
async function settledHoldings(
  value: shared.SharedValue,
  before: { daemon: { connections: number; channels: number } },
) {
  for (;;) {
    const now = await holdings(value)
    const { connections, channels } = before.daemon
    if (now.daemon.connections === connections && now.daemon.channels === channels) return now
  }
}

t.test(`${ROUNDS} rounds of connect, getService, getFileDescriptor, map, read, close`, async (t) => {
  const { registry } = await support.startMemsvc(t)
  const value = await support.openValue(t, registry)
  await value.set(42)
  const before = await holdings(value)
  let wrong = 0
  for (let round = 0; round < ROUNDS; round++) {
    using manager = await shared.ServiceManager.connect({ path: registry })
    using service = (await manager.getService(shared.DEFAULT_SERVICE_NAME)) as shared.BinderProxy
    using descriptor = (await shared.IMemoryService.asInterface(
      service,
    ).getFileDescriptor()) as shared.ParcelFileDescriptor
    using file = new shared.MemoryFile(descriptor.getFileDescriptor(), REGION_BYTES, 'r')
    if (file.readInt32BE(0) !== 42) wrong += 1
  }
  t.equal(wrong, 0)
  t.strictSame(await settledHoldings(value, before), before)
})

t.test('clients that are killed in the middle of it', async (t) => {
  const { registry } = await support.startMemsvc(t)
  const value = await support.openValue(t, registry)
  const before = await holdings(value)
  const clients = Array.from({ length: 10 }, () => support.startMemclient(t, registry, ['watch']))
  await Promise.all(clients.map((client) => client.stdout.next()))
  t.match(await support.statusOf(value), { watchers: 10, channels: before.daemon.channels + 10 })
  await Promise.all(clients.map((client) => client.destroy()))
  t.strictSame((await settledHoldings(value, before)).daemon, before.daemon)
})
