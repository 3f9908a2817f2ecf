/** Waiting for a service: until it is there, or the wait is ended, whatever the registry does meanwhile. */
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Binder, type BinderProxy, type ServiceManager } from '../../src/index.ts'
import { connect, leakChecked, onceUp, startRegistry, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

async function up(t: Test) {
  const { registry, program } = await startRegistry(t)
  return { registry, program, publisher: await connect(t, registry), waiting: await connect(t, registry) }
}

/** A wait whose service is closed with the test. */
async function waitFor(t: Test, manager: ServiceManager, name: string, signal?: AbortSignal): Promise<BinderProxy> {
  const service = (await manager.waitForService(name, signal === undefined ? {} : { signal })) as BinderProxy
  t.teardown(() => service.close())
  return service
}

t.test('a service that is there is found at once', async (t) => {
  const { publisher, waiting } = await up(t)
  await publisher.addService('x', new Binder())
  t.equal(await (await waitFor(t, waiting, 'x')).pingBinder(), true)
})

t.test('a service that comes later ends all waits for it, and no other', async (t) => {
  const { publisher, waiting } = await up(t)
  const aborter = new AbortController()
  const other = waiting.waitForService('y', { signal: aborter.signal })
  const waits = [waitFor(t, waiting, 'x'), waitFor(t, waiting, 'x', aborter.signal)]
  await publisher.addService('x', new Binder())
  for (const service of await Promise.all(waits)) t.equal(await service.pingBinder(), true)
  aborter.abort()
  await t.rejects(other, { name: 'AbortError' })
})

t.test('the own service ends the wait as itself', async (t) => {
  const { publisher } = await up(t)
  const wait = publisher.waitForService('x')
  const service = new Binder()
  await publisher.addService('x', service)
  t.equal(await wait, service)
})

t.test('an abort ends the wait: before it began, while it asks, while it waits', async (t) => {
  const { waiting } = await up(t)
  const reason = new Error('enough')
  const aborted = { name: 'AbortError', code: 'ABORT_ERR', cause: reason }
  await t.rejects(waiting.waitForService('x', { signal: AbortSignal.abort(reason) }), aborted)
  const [early, late] = [new AbortController(), new AbortController()]
  const asking = waiting.waitForService('x', { signal: early.signal })
  early.abort(reason)
  await t.rejects(asking, aborted)
  const waits = waiting.waitForService('x', { signal: late.signal })
  await waiting.listServices()
  await waiting.listServices()
  late.abort(reason)
  await t.rejects(waits, aborted)
  t.strictSame(await waiting.listServices(), [])
})

t.test('a registry that hangs does not hold up an abort', async (t) => {
  const { program, waiting } = await up(t)
  program.kill('SIGSTOP')
  const aborter = new AbortController()
  const wait = waiting.waitForService('x', { signal: aborter.signal })
  setImmediate(() => aborter.abort())
  await t.rejects(wait, { name: 'AbortError' })
  program.kill('SIGCONT')
})

t.test('closing the manager ends the wait with ERR_CLOSED', async (t) => {
  const { waiting } = await up(t)
  const waits = [waiting.waitForService('x'), waiting.waitForService('y')]
  await waiting.listServices()
  waiting.close()
  for (const wait of waits) await t.rejects(wait, { code: 'ERR_CLOSED' })
})

t.test('a wait goes on over the end of the registry', async (t) => {
  const { registry, program, waiting } = await up(t)
  const wait = waitFor(t, waiting, 'x')
  await waiting.listServices()
  await program.destroy()
  await startRegistry(t, { registry })
  const publisher = await connect(t, registry)
  await publisher.addService('x', new Binder())
  t.equal(await (await wait).pingBinder(), true)
})

t.test('a wait may begin while there is no registry', async (t) => {
  const { registry, program, waiting } = await up(t)
  await program.destroy()
  const wait = waitFor(t, waiting, 'x')
  const aborter = new AbortController()
  const inVain = waiting.waitForService('x', { signal: aborter.signal })
  setImmediate(() => aborter.abort())
  await t.rejects(inVain, { name: 'AbortError' })
  await startRegistry(t, { registry })
  const publisher = await onceUp(() => connect(t, registry))
  await publisher.addService('x', new Binder())
  t.equal(await (await wait).pingBinder(), true)
})

t.test('a wait goes on over the end of two registries, and is known to each of them once', async (t) => {
  const { registry, program, waiting } = await up(t)
  const config = join(t.testdir({ 'memsvc.json': '{ "limits": { "notifications": { "total": 1 } } }' }), 'memsvc.json')
  const wait = waitFor(t, waiting, 'x')
  let next = program
  for (let restart = 1; restart <= 2; restart++) {
    await waiting.listServices()
    await next.destroy()
    next = (await startRegistry(t, { registry, args: ['--config', config] })).program
    for (let turn = 0; turn < 5; turn++) t.strictSame(await onceUp(() => waiting.listServices()), [])
  }
  const publisher = await connect(t, registry)
  await publisher.addService('x', new Binder())
  t.equal(await (await wait).pingBinder(), true)
})

t.test('a manager that has waited can wait again, for the same name and others', async (t) => {
  const { registry, waiting } = await up(t)
  for (const name of ['x', 'x', 'y']) {
    const wait = waitFor(t, waiting, name)
    t.strictSame(await waiting.listServices(), [])
    const publisher = await connect(t, registry)
    await publisher.addService(name, new Binder())
    const service = await wait
    t.equal(await service.pingBinder(), true)
    service.close()
    publisher.close()
    while ((await waiting.listServices()).length > 0);
  }
})
