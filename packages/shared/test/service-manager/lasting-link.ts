/** The registry goes and another comes: what was published, and who wants to be told, is said to it again. */
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Binder, type BinderProxy, errorCode, ServiceManager } from '../../src/index.ts'
import { findRegistry } from '../../src/service-manager/registry-path.ts'
import { connect, leakChecked, onceUp, startRegistry, warningsOf, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

async function up(t: Test) {
  const { registry, program } = await startRegistry(t)
  return { registry, program, manager: await connect(t, registry) }
}

t.test('published services are registered again before anything else is answered', async (t) => {
  const { registry, program, manager } = await up(t)
  const services = { a: new Binder(), b: new Binder(), c: new Binder() }
  for (const [name, service] of Object.entries(services)) await manager.addService(name, service, { dumpPriority: 4 })
  await program.destroy()
  await startRegistry(t, { registry })
  // The question itself makes the connection, sooner than the timer would.
  t.strictSame(await onceUp(() => manager.listServices(4)), ['a', 'b', 'c'])
  t.equal(await manager.getService('b'), services.b)
})

t.test('published services come back without a request', async (t) => {
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

t.test(
  'a name that somebody else has taken meanwhile is lost, with one warning, at every later restart too',
  async (t) => {
    const { registry, program, manager } = await up(t)
    const warnings = warningsOf(t)
    await manager.addService('AnonymousSharedMemory', new Binder())
    await manager.addService('mine', new Binder())
    await program.destroy()
    // A host's own service comes before those of others, however fast they are.
    let next = (await startRegistry(t, { registry, command: 'start', args: ['--no-store'] })).program
    const info = await onceUp(() => manager.getServiceInfo('AnonymousSharedMemory'))
    t.equal(info?.pid, next.pid)
    t.match(await warnings.next(1), [{ code: 'MEMSVC_CALLBACK_ERROR', message: /AnonymousSharedMemory/ }])
    t.strictSame(await manager.listServices(), ['AnonymousSharedMemory', 'mine'])
    for (let restart = 2; restart <= 3; restart++) {
      await next.destroy()
      next = (await startRegistry(t, { registry })).program
      t.strictSame(
        await onceUp(() => manager.listServices()),
        ['mine'],
        `restart ${restart}: it is free, and not asked for`,
      )
    }
    await manager.addService('AnonymousSharedMemory', new Binder())
    await next.destroy()
    await startRegistry(t, { registry })
    t.strictSame(
      await onceUp(() => manager.listServices()),
      ['AnonymousSharedMemory', 'mine'],
      'added again, it comes again',
    )
    t.equal(warnings.count, 0)
  },
)

t.test('services and callbacks come back at each of three restarts', async (t) => {
  const { registry, manager, ...first } = await up(t)
  let { program } = first
  const service = new Binder()
  const told: string[] = []
  let wake = (): void => {}
  await manager.addService('mine', service)
  await manager.registerForNotifications('theirs', (name, binder) => {
    told.push(name)
    ;(binder as BinderProxy).close()
    wake()
  })
  for (let restart = 1; restart <= 3; restart++) {
    await program.destroy()
    ;({ program } = await startRegistry(t, { registry }))
    t.equal(await onceUp(() => manager.getService('mine')), service)
    const heard = new Promise<void>((resolve) => {
      wake = resolve
    })
    const publisher = await connect(t, registry)
    await publisher.addService('theirs', new Binder())
    await heard
    const found = (await publisher.getService('mine')) as BinderProxy
    t.equal(await found.pingBinder(), true)
    found.close()
    publisher.close()
    t.equal(told.length, restart, 'once at each')
  }
})

t.test('a callback that a registry refuses is lost, with one warning, at every later restart too', async (t) => {
  const { registry, program, manager } = await up(t)
  const warnings = warningsOf(t)
  const told: string[] = []
  let wake = (): void => {}
  for (const name of ['a', 'b']) {
    await manager.registerForNotifications(name, (name, binder) => {
      told.push(name)
      ;(binder as BinderProxy).close()
      wake()
    })
  }
  await program.destroy()
  const config = join(t.testdir({ 'memsvc.json': '{ "limits": { "notifications": { "total": 1 } } }' }), 'memsvc.json')
  let next = (await startRegistry(t, { registry, args: ['--config', config] })).program
  t.match(await warnings.next(1), [{ code: 'MEMSVC_CALLBACK_ERROR', message: /notifications about b again/ }])
  for (let restart = 2; restart <= 3; restart++) {
    await next.destroy()
    next = (await startRegistry(t, { registry })).program
    const publisher = await connect(t, registry)
    await onceUp(() => manager.listServices()) // said again before this was asked
    await publisher.addService('b', new Binder())
    const heard = new Promise<void>((resolve) => {
      wake = resolve
    })
    await publisher.addService('a', new Binder())
    await heard
    t.strictSame(told.splice(0), ['a'], `restart ${restart}`)
    publisher.close()
  }
  t.equal(warnings.count, 0)
})

t.test('while a registry comes and goes nothing is said of it twice', async (t) => {
  const { registry, program } = await startRegistry(t)
  const outages: string[] = []
  const manager = await ServiceManager.connectTo(findRegistry({ path: registry }), {
    onOutage: () => outages.push('outage'),
  })
  t.teardown(() => manager.close())
  await manager.addService('mine', new Binder())
  let next = program
  for (let restart = 1; restart <= 2; restart++) {
    await next.destroy()
    await t.rejects(onceDown(manager), { code: 'ERR_REGISTRY_UNAVAILABLE' })
    t.equal(outages.length, restart)
    next = (await startRegistry(t, { registry })).program
    t.strictSame(await onceUp(() => manager.listServices()), ['mine'])
    t.equal(manager.isConnected, true)
  }
})

/** Asks until nobody is there. */
async function onceDown(manager: ServiceManager): Promise<never> {
  for (;;) {
    try {
      await manager.listServices()
    } catch (error) {
      if (errorCode(error) === 'ERR_REGISTRY_UNAVAILABLE') throw error
    }
  }
}

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
