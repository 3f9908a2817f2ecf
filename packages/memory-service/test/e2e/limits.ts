/** The daemon at its limits: one more is ERR_LIMIT, the channel lives on, and everything can be had again afterwards. */

import { Binder, type ImplementationOf, IWatch, IWatcher, ServiceManager } from '@memsvc/shared'
import { leakChecked, newRegistryPath, OTHER_UID, otherUserProblem, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import { RESOURCES } from '../../src/quota/limits.ts'
import * as support from '../../test-support/index.ts'

/** Descriptors that a daemon may have who needs some 25 itself. */
const FEW = 64

watchdog(t)
leakChecked(t)

class Callback extends IWatcher.Stub implements ImplementationOf<typeof IWatcher> {
  onChange(): void {}
}

t.test('names of one connection', async (t) => {
  const { registry } = await support.startMemsvc(t)
  const manager = await support.connect(t, registry)
  const limit = RESOURCES.names.perPeer
  for (let i = 0; i < limit; i++) await manager.addService(`name-${i}`, new Binder())
  await t.rejects(manager.addService('one-more', new Binder()), { code: 'ERR_LIMIT', limit, used: limit })
  t.equal((await manager.listServices()).length, limit + support.OWN_NAMES.length, 'with the daemon’s own')
  const other = await support.connect(t, registry)
  await other.addService('one-more', new Binder())
  manager.close()
  while ((await other.listServices()).length > support.OWN_NAMES.length + 1);
  for (let i = 0; i < limit - 1; i++) await other.addService(`name-${i}`, new Binder())
  t.equal((await other.listServices()).length, limit + support.OWN_NAMES.length)
})

t.test('notifications of one connection', async (t) => {
  const { registry } = await support.startMemsvc(t)
  const manager = await support.connect(t, registry)
  const limit = RESOURCES.notifications.perPeer
  const callback = () => {}
  for (let i = 0; i < limit; i++) await manager.registerForNotifications('nobody', callback)
  await t.rejects(manager.registerForNotifications('nobody', callback), { code: 'ERR_LIMIT', limit })
  await manager.unregisterForNotifications('nobody', callback)
  await manager.registerForNotifications('nobody', callback)
  await manager.unregisterForNotifications('nobody', callback)
})

t.test('watchers of one channel', async (t) => {
  const { registry } = await support.startMemsvc(t)
  const value = await support.openValue(t, registry)
  const before = await support.statusOf(value)
  const watch = IWatch.asInterface(value.binder)
  const limit = RESOURCES.watchers.perPeer
  const callbacks = Array.from({ length: limit }, () => new Callback())
  for (const callback of callbacks) await watch.watch(callback)
  await t.rejects(async () => watch.watch(new Callback()), { code: 'ERR_LIMIT', limit })
  t.equal((await support.statusOf(value)).watchers, limit)
  for (const callback of callbacks) await watch.unwatch(callback)
  t.match(await support.statusOf(value), { watchers: 0, fds: before.fds, channels: before.channels })
})

t.test('connections of another user', { skip: otherUserProblem(support.MEMSVC) }, async (t) => {
  const registry = newRegistryPath(t, 0o711)
  await support.startMemsvc(t, { registry, args: ['--socket-mode', '666'] })
  const value = await support.openValue(t, registry)
  const before = await support.statusOf(value)
  const limit = RESOURCES.connections.perUser - 1 // the program has one of its own
  t.strictSame(await support.callAs(OTHER_UID, registry, 'connections', String(limit + 10)), {
    ok: { served: limit, refused: Array(10).fill('ERR_LIMIT') },
  })
  let status = await support.statusOf(value)
  while (status.connections !== before.connections) status = await support.statusOf(value)
  t.equal(status.fds, before.fds)
})

t.test('channels of another user', { skip: otherUserProblem(support.MEMSVC) }, async (t) => {
  const registry = newRegistryPath(t, 0o711)
  await support.startMemsvc(t, { registry, args: ['--socket-mode', '666'] })
  const value = await support.openValue(t, registry)
  const before = await support.statusOf(value)
  const limit = RESOURCES.channels.perUser
  t.strictSame(await support.callAs(OTHER_UID, registry, 'channels', String(limit + 10)), {
    ok: { served: limit, refused: Array(10).fill('ERR_LIMIT') },
  })
  let status = await support.statusOf(value)
  while (status.channels !== before.channels) status = await support.statusOf(value)
  t.equal(status.fds, before.fds)
})

t.test('descriptors: who comes too many waits, or is told; who was there is served all the time', async (t) => {
  const { registry, program } = await support.startMemsvc(t)
  // The daemon sees to it that its limits fit, so it has to be taken by surprise.
  t.equal(support.nodeChildProcess.spawnSync('prlimit', [`--pid=${program.pid}`, `--nofile=${FEW}`]).status, 0)
  const value = await support.openValue(t, registry)
  const before = await support.statusOf(value)

  const managers = await Promise.all(Array.from({ length: 2 * FEW }, () => ServiceManager.connect({ path: registry })))
  const answers = managers.map((manager) => manager.listServices())
  await answers[0]
  await program.stderr.find((line) => line.includes('cannot accept connections'))
  for (let i = 1; i <= 100; i++) await value.set(i)
  t.equal(value.get(), 100)
  await t.rejects(async () => managers[0]?.getService('AnonymousSharedMemory'), { code: 'ERR_LIMIT' })

  for (const [i, manager] of managers.entries()) {
    t.strictSame(await answers[i], support.OWN_NAMES, 'in the end everybody has been served')
    manager.close()
  }
  let status = await support.statusOf(value)
  while (status.connections !== before.connections) status = await support.statusOf(value)
  t.equal(status.fds, before.fds)
  t.equal((await support.openValue(t, registry)).get(), 100)
  t.ok(support.warnings(program.stderr.text).length <= 3 * FEW)
})
