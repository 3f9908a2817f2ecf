/**
 * What was taken already when a later step refuses: a service that the registry does not take, a callback that it does
 * not keep, the end of a channel that nobody can be let in by. Nothing of it may be held, and the process can end.
 */

import { memfdCreate, type OwnedFd } from 'memfd-native'
import t from 'tap'
import { Binder, IllegalStateError, LimitError, SecurityError } from '../../src/index.ts'
import { openService } from '../../src/service-manager/registry-link.ts'
import * as support from '../../test-support/index.ts'

support.watchdog(t)
support.leakChecked(t)

const REFUSALS = [
  () => new SecurityError('not here'),
  () => new IllegalStateError('the name is held'),
  () => new LimitError('names', 1, 1),
]

/** Resolves once nothing keeps the process alive but what did before: what was given back has arrived. */
async function quiet(references: number): Promise<void> {
  while (support.hubReferences() !== references) await new Promise(setImmediate)
}

t.test('a service that is refused is held by nobody, whatever for and how often', async (t) => {
  const { manager, registry } = await support.fakeRegistry(t)
  await manager.addService('first', new Binder()) // the first one is asked about once more: the namespace
  const before = support.hubReferences()
  for (const refusal of REFUSALS) {
    registry.refusal = refusal
    const { code } = refusal()
    const held = await support.heldObjects(async () => {
      const binders = [new Binder(), new Binder()]
      for (const binder of binders) {
        for (const name of ['a', 'b']) await t.rejects(manager.addService(name, binder), { code })
      }
      return binders
    })
    t.equal(held, 0, code)
    t.equal(support.hubReferences(), before, code)
  }
})

t.test('a process whose only service was refused can end', async (t) => {
  const { manager, registry } = await support.fakeRegistry(t)
  const before = support.hubReferences()
  registry.refusal = () => new IllegalStateError('the name is held')
  await t.rejects(manager.addService('only', new Binder()), { code: 'ERR_ILLEGAL_STATE' })
  await support.awake(quiet(before + 1)) // one is this wait's own
  t.equal(support.hubReferences(), before)
})

t.test('a service that is refused under a second name goes on under the first', async (t) => {
  const entered: string[] = []
  const { manager, registry } = await support.fakeRegistry(t, {
    enter: ({ service }) => {
      entered.push(service === binder ? 'it' : 'another')
      return null
    },
  })
  const binder = new Binder()
  await manager.addService('first', binder)
  registry.refusal = () => new SecurityError('not here')
  await t.rejects(manager.addService('second', binder), { code: 'ERR_SECURITY' })
  await support.otherEndClosed(support.bringChannel(t, registry.services.get('first')))
  t.strictSame(entered, ['it'])
})

t.test('no client is brought to a service that was refused, or whose name another process got', async (t) => {
  let entered = 0
  const { manager, registry } = await support.fakeRegistry(t, {
    enter: () => {
      entered += 1
      return null
    },
  })
  await manager.addService('first', new Binder())
  const former = registry.services.get('first')
  // Kept beside its name: a registry that goes on bringing clients to it.
  registry.services.set('kept', former ?? null)
  await manager.addService('first', new Binder())
  await support.otherEndClosed(support.bringChannel(t, former))
  t.equal(entered, 0, 'its name is another service')
  await manager.registerForNotifications('callback', () => {})
  await support.otherEndClosed(support.bringChannel(t, registry.callbacks.get('callback')))
  t.equal(entered, 0, 'a callback is no service')
  await support.otherEndClosed(support.bringChannel(t, registry.services.get('first')))
  t.equal(entered, 1)
  registry.refusal = () => new SecurityError('not here')
  registry.keepsRefused = true
  await t.rejects(manager.addService('refused', new Binder()), { code: 'ERR_SECURITY' })
  await support.otherEndClosed(support.bringChannel(t, registry.services.get('refused')))
  t.equal(entered, 1, 'it was refused')
})

t.test('a callback that is refused is held by nobody, and is not said again', async (t) => {
  const { manager, registry } = await support.fakeRegistry(t)
  const before = support.hubReferences()
  for (const refusal of REFUSALS.slice(0, 2)) {
    registry.refusal = refusal
    const { code } = refusal()
    const held = await support.heldObjects(async () => {
      const callbacks = [() => {}, () => {}]
      for (const callback of callbacks) {
        await t.rejects(manager.registerForNotifications('name', callback), { code })
        await t.rejects(manager.unregisterForNotifications('name', callback), { code: 'ERR_ILLEGAL_STATE' })
      }
      return callbacks
    })
    t.equal(held, 0, code)
    t.equal(support.hubReferences(), before, code)
  }
})

t.test('a callback that is taken back is held by nobody', async (t) => {
  const { manager } = await support.fakeRegistry(t)
  const before = support.hubReferences()
  const held = await support.heldObjects(async () => {
    const callback = () => {}
    await manager.registerForNotifications('name', callback)
    t.equal(support.hubReferences(), before + 1)
    await manager.unregisterForNotifications('name', callback)
    return [callback]
  })
  t.equal(held, 0)
  t.equal(support.hubReferences(), before)
})

t.test('an end is closed where it cannot be said who may come in', async (t) => {
  const { manager, registry } = await support.fakeRegistry(t, {
    enter: () => {
      throw new Error('no descriptor is left to look')
    },
  })
  await manager.addService('name', new Binder())
  for (let i = 0; i < 2; i++) {
    const warned = new Promise((resolve) => process.once('warning', resolve))
    const end = support.bringChannel(t, registry.services.get('name'))
    await support.otherEndClosed(end)
    t.match(await support.awake(warned), { message: /no descriptor is left/ })
  }
})

t.test('a client that was let in and fails later is refunded once', async (t) => {
  const log: string[] = []
  const visit: support.Visit = {
    refusal: null,
    onOpen: () => log.push('open'),
    onEnd: (pid) => log.push(`end ${pid}`),
  }
  const { manager, registry } = await support.fakeRegistry(t, { enter: () => visit })
  await manager.addService('name', new Binder())
  const service = registry.services.get('name')
  const broken = support.bringChannel(t, service)
  const peer = new support.RawPeer(t, broken)
  peer.send(support.message({ kind: support.TRANSACTION, id: 1, code: 1 })) // no HELLO
  await peer.ended()
  t.strictSame(log.splice(0), ['open', 'end 0'])
  const silent = support.bringChannel(t, service)
  while (log.length === 0) await new Promise(setImmediate)
  silent.close()
  while (log.length === 1) await new Promise(setImmediate)
  t.strictSame(log, ['open', 'end 0'])
})

t.test('an answer of the registry that is not a channel is refused, and closed', async (t) => {
  const found = (end: OwnedFd) => ({ kind: 'channel', acceptsFileDescriptors: false, pid: 1, uid: 0, end }) as const
  const file = memfdCreate('no socket')
  t.throws(() => openService(found(file)), { code: 'ERR_DEAD_OBJECT', message: /a channel that is not a socket/ })
  t.equal(file.isClosed, true)
  t.throws(() => openService(found(file)), { code: /^(?!ERR_DEAD_OBJECT)/ }, 'any other reason is told as it is')
})
