/** Listeners and timers are as many after as before, however often something waits, is aborted or ends. */

import t from 'tap'
import { Binder, MemoryFile, ParcelFileDescriptor, ServiceManager, SharedMemory } from '../../src/index.ts'
import { abortable } from '../../src/util/abortable.ts'
import { Signal } from '../../src/util/signal.ts'
import { connect, heldObjects, leakChecked, nodeEvents, startRegistry, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

const TIMES = 5 // below what Node warns of

/** Of the process, by event; and the timers that keep it alive. */
function counts(): Record<string, number> {
  const listeners = process.eventNames().map((name) => [`on ${String(name)}`, process.listenerCount(name)])
  const timers = process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length
  return { ...Object.fromEntries(listeners), timers }
}

const listenersOf = (signal: AbortSignal) => nodeEvents.getEventListeners(signal, 'abort').length

t.test('repeated work adds no listener to the process and no timer', async (t) => {
  const { registry } = await startRegistry(t)
  const once = async () => {
    using file = new MemoryFile('growth', 8)
    file.getInputStream().close()
    using memory = SharedMemory.create('growth', 8)
    SharedMemory.unmap(memory.mapReadWrite())
    for (const end of ParcelFileDescriptor.createReliablePipe()) end.close()
    using manager = await ServiceManager.connect({ path: registry })
    await manager.addService('growth', new Binder())
    await manager.waitForService('growth')
    await manager.registerForNotifications('growth', () => undefined)
  }
  await once()
  const before = counts()
  for (let i = 0; i < TIMES; i++) await once()
  t.strictSame(counts(), before)
})

t.test('abortable leaves no listener behind: after its work, after a failure, after an abort', async (t) => {
  const { signal } = new AbortController()
  for (let i = 0; i < TIMES; i++) {
    t.equal(await abortable(Promise.resolve(i), signal), i)
    await t.rejects(abortable(Promise.reject(new Error('failed')), signal), { message: 'failed' })
  }
  t.equal(listenersOf(signal), 0)
  const aborter = new AbortController()
  const waits = Array.from({ length: TIMES }, () => abortable(new Promise(() => undefined), aborter.signal))
  t.equal(listenersOf(aborter.signal), TIMES)
  aborter.abort()
  for (const wait of waits) await t.rejects(wait, { name: 'AbortError' })
  await t.rejects(abortable(new Promise(() => undefined), aborter.signal), { name: 'AbortError' })
  t.equal(listenersOf(aborter.signal), 0)
})

t.test('a wait for a signal leaves neither listener nor timer behind', async (t) => {
  const { signal } = new AbortController()
  const news = new Signal()
  const before = counts()
  for (let i = 0; i < TIMES; i++) {
    const wait = news.wait({ timeoutMs: 1_000_000, signal })
    t.equal(listenersOf(signal), 1)
    news.raise()
    t.equal(await wait, true)
    t.equal(await news.wait({ timeoutMs: 0, signal }), true)
  }
  t.equal(listenersOf(signal), 0)
  t.strictSame(counts(), before)
})

t.test('waits for services leave no listener on the signal that they share', async (t) => {
  const { registry } = await startRegistry(t)
  const manager = await connect(t, registry)
  const aborter = new AbortController()
  await manager.addService('there', new Binder())
  const before = counts()
  for (let i = 0; i < TIMES; i++) await manager.waitForService('there', { signal: aborter.signal })
  t.equal(listenersOf(aborter.signal), 0)
  const waits = Array.from({ length: TIMES }, () => manager.waitForService('nowhere', { signal: aborter.signal }))
  await manager.listServices()
  await manager.listServices()
  aborter.abort()
  for (const wait of waits) await t.rejects(wait, { name: 'AbortError' })
  await new Promise(setImmediate)
  t.equal(listenersOf(aborter.signal), 0)
  t.strictSame(counts(), before)
})

t.test('a wait that is over is held by nobody, while its manager lives', async (t) => {
  const { registry } = await startRegistry(t)
  const manager = await connect(t, registry)
  const { wait } = Signal.prototype
  t.teardown(() => {
    Signal.prototype.wait = wait
  })
  const held = await heldObjects(async () => {
    const seen = new Set<Signal>()
    Signal.prototype.wait = function (options) {
      seen.add(this)
      return wait.call(this, options)
    }
    const aborter = new AbortController()
    const waits = Array.from({ length: TIMES }, () => manager.waitForService('nowhere', { signal: aborter.signal }))
    while (seen.size < TIMES) await new Promise(setImmediate)
    Signal.prototype.wait = wait
    aborter.abort()
    await Promise.allSettled(waits)
    await manager.listServices()
    return [...seen]
  })
  t.equal(held, 0)
})
