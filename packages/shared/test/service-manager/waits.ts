/** A registry that is stopped is not gone: nobody waits for it longer than was said, and then nothing keeps the process. */
import t from 'tap'
import { Binder, OwnedValue, ServiceManager, SharedValue } from '../../src/index.ts'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)
support.watchdog(t)

type Options = { signal?: AbortSignal; timeoutMs?: number }
const callback = (): void => {}

const GIVES_CALLBACK = ['waitForService', 'registerForNotifications']

const WAITS: Record<string, (manager: ServiceManager, options: Options) => Promise<unknown>> = {
  addService: (manager, options) => manager.addService('name', new Binder(), options),
  getService: (manager, options) => manager.getService('name', options),
  checkService: (manager, options) => manager.checkService('name', options),
  waitForService: (manager, options) => manager.waitForService('name', options),
  listServices: (manager, options) => manager.listServices(15, options),
  getServiceInfo: (manager, options) => manager.getServiceInfo('name', options),
  registerForNotifications: (manager, options) => manager.registerForNotifications('name', callback, options),
}

for (const [name, wait] of Object.entries(WAITS)) {
  t.test(`${name} of a registry that is stopped ends when it was said to`, async (t) => {
    const { registry, program } = await support.startRegistry(t)
    const manager = await ServiceManager.connect({ path: registry })
    t.equal(await manager.getService('nobody'), null)
    const before = support.hubReferences()
    program.kill('SIGSTOP')
    t.teardown(() => program.kill('SIGCONT'))
    await t.rejects(wait(manager, { timeoutMs: 5 }), { code: 'ERR_TIMEOUT' })
    const controller = new AbortController()
    const waiting = wait(manager, { signal: controller.signal })
    controller.abort('enough')
    await t.rejects(waiting, { code: 'ABORT_ERR', cause: 'enough' })
    await t.rejects(wait(manager, { signal: AbortSignal.abort() }), { code: 'ABORT_ERR' })
    // A callback that the registry was given, perhaps, keeps the process until the manager is closed.
    if (!GIVES_CALLBACK.includes(name)) t.equal(support.hubReferences(), before, 'nothing keeps the process')
    manager.close()
  })

  t.test(`${name} refuses what is not an object of options`, async (t) => {
    const { registry } = await support.startRegistry(t)
    const manager = await ServiceManager.connect({ path: registry })
    for (const wrong of [new AbortController().signal, 1, [], () => {}, manager]) {
      await t.rejects(wait(manager, wrong as Options), { code: 'ERR_INVALID_ARG_TYPE', message: new RegExp(name) })
    }
    await t.rejects(wait(manager, { timeoutMs: -1 }), { code: 'ERR_OUT_OF_RANGE', message: /timeoutMs/ })
    manager.close()
  })
}

t.test('a value of a service that is stopped is not waited for longer than was said', async (t) => {
  const { registry } = await support.startRegistry(t)
  const [owner, other] = [
    await ServiceManager.connect({ path: registry }),
    await ServiceManager.connect({ path: registry }),
  ]
  const value = new OwnedValue({ mayWrite: () => true })
  await owner.addService('value', value.binder)
  const shared = await SharedValue.open(other, 'value')
  await t.rejects(shared.set(1, { signal: AbortSignal.abort() }), { code: 'ABORT_ERR' })
  await t.rejects(shared.set(1, new AbortController().signal as object), { code: 'ERR_INVALID_ARG_TYPE' })
  await shared.set(2, { timeoutMs: 60_000 })
  t.equal(shared.get(), 2)
  await t.rejects(SharedValue.open(other, 'nobody'), { code: 'ERR_SERVICE_NOT_FOUND', message: registry })
  shared.close()
  value.close()
  for (const manager of [owner, other]) manager.close()
})
