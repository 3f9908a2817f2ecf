/** The registry goes and another comes: what was published, and who wants to be told, is said to it again. */
import t, { type Test } from 'tap'
import { Binder } from '../../src/binder/binder.ts'
import type { BinderProxy } from '../../src/binder/binder-proxy.ts'
import { leakChecked } from '../../test-support/leaks.ts'
import { watchdog } from '../../test-support/watchdog.ts'
import { connect, onceUp, startRegistry } from '../fixtures/registry.ts'
import { warningsOf } from '../fixtures/warnings.ts'

leakChecked(t)
watchdog(t)

async function up(t: Test) {
  const { registry, program } = await startRegistry(t)
  return { registry, program, manager: await connect(t, registry) }
}

t.test('what was published is there again before anything else is answered', async (t) => {
  const { registry, program, manager } = await up(t)
  const services = { a: new Binder(), b: new Binder(), c: new Binder() }
  for (const [name, service] of Object.entries(services)) await manager.addService(name, service, { dumpPriority: 4 })
  await program.destroy()
  await startRegistry(t, { registry })
  // The question itself makes the connection, sooner than the timer would.
  t.strictSame(await onceUp(() => manager.listServices(4)), ['a', 'b', 'c'])
  t.equal(await manager.getService('b'), services.b)
})

t.test('what was published comes back without a question', async (t) => {
  const { registry, program, manager } = await up(t)
  await manager.addService('mine', new Binder())
  await program.destroy()
  await startRegistry(t, { registry })
  const other = await connect(t, registry)
  const proxy = (await other.waitForService('mine')) as BinderProxy
  t.equal(await proxy.pingBinder(), true)
  proxy.close()
})

t.test('callbacks are told by the next registry too, and not after they are unregistered', async (t) => {
  const { registry, program, manager } = await up(t)
  const told: string[] = []
  let wake = (): void => {}
  const heard = () =>
    new Promise<void>((resolve) => {
      wake = resolve
    })
  const callback = (name: string, binder: unknown) => {
    told.push(name)
    ;(binder as BinderProxy).close()
    wake()
  }
  await manager.registerForNotifications('x', callback)
  await manager.registerForNotifications('y', callback)
  await program.destroy()
  await manager.unregisterForNotifications('x', callback)
  await startRegistry(t, { registry })
  const publisher = await connect(t, registry)
  await publisher.addService('x', new Binder())
  const next = heard()
  await publisher.addService('y', new Binder())
  await next
  t.same(told, ['y'])
})

t.test('while there is no registry calls say so', async (t) => {
  const { program, manager } = await up(t)
  await program.destroy()
  const outage = ['ERR_DEAD_OBJECT', 'ERR_REGISTRY_UNAVAILABLE']
  for (let round = 0; round < 3; round++) {
    const code = await manager.listServices().catch((error: { code: string }) => error.code)
    t.ok(outage.includes(String(code)), String(code))
  }
  await t.rejects(manager.addService('x', new Binder()), { code: 'ERR_REGISTRY_UNAVAILABLE' })
  t.equal(manager.isConnected, false)
})

t.test('a name that somebody else has taken meanwhile is lost, with a warning, and stays lost', async (t) => {
  const { registry, program, manager } = await up(t)
  const warnings = warningsOf(t)
  await manager.addService('AnonymousSharedMemory', new Binder())
  await manager.addService('mine', new Binder())
  await program.destroy()
  // Before this process can say a word: it sees the end of its connection in a later turn of its loop.
  const next = await startRegistry(t, { registry, command: 'start' })
  const info = await onceUp(() => manager.getServiceInfo('AnonymousSharedMemory'))
  if (info?.pid === process.pid) return t.comment('this process was faster')
  t.equal(info?.pid, next.program.pid)
  t.match(await warnings.next(1), [{ code: 'MEMSVC_CALLBACK_ERROR', message: /AnonymousSharedMemory/ }])
  t.strictSame(await manager.listServices(), ['AnonymousSharedMemory', 'mine'])
})

t.test('a manager that is closed while there is no registry does not come back', async (t) => {
  const { registry, program, manager } = await up(t)
  await manager.addService('mine', new Binder())
  await program.destroy()
  manager.close()
  await startRegistry(t, { registry })
  t.strictSame(await (await connect(t, registry)).listServices(), [])
})

t.test('services that were found live on without any registry', async (t) => {
  const { registry, program, manager } = await up(t)
  await manager.addService('mine', new Binder())
  const proxy = (await (await connect(t, registry)).getService('mine')) as BinderProxy
  await program.destroy()
  t.equal(await proxy.pingBinder(), true)
  proxy.close()
})
