/** Being told of registrations: at once when the service is there, and at each one after that. */
import t, { type Test } from 'tap'
import { Binder, BinderProxy, type IBinder, type OnRegistration } from '../../src/index.ts'
import { connect, leakChecked, startRegistry, warningsOf, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

/** A callback that writes down what it was told. */
function listener(t: Test) {
  const told: [name: string, binder: IBinder][] = []
  let wake = (): void => {}
  const callback: OnRegistration = (name, binder) => {
    told.push([name, binder])
    if (binder instanceof BinderProxy) t.teardown(() => binder.close())
    wake()
  }
  const toldTimes = async (count: number) => {
    while (told.length < count) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  return { told, callback, toldTimes, names: () => told.map(([name]) => name) }
}

async function up(t: Test) {
  const { registry } = await startRegistry(t)
  return { registry, publisher: await connect(t, registry), listening: await connect(t, registry) }
}

t.test('a registration is told with the name and a binder that works', async (t) => {
  const { publisher, listening } = await up(t)
  const { told, callback, toldTimes } = listener(t)
  await listening.registerForNotifications('x', callback)
  t.equal(told.length, 0)
  await publisher.addService('x', new Binder())
  await toldTimes(1)
  t.equal(told[0]?.[0], 'x')
  t.type(told[0]?.[1], BinderProxy)
  t.equal(await told[0]?.[1].pingBinder(), true)
})

t.test('a service that is there already is told at once', async (t) => {
  const { publisher, listening } = await up(t)
  await publisher.addService('x', new Binder())
  const { callback, toldTimes, names } = listener(t)
  await listening.registerForNotifications('x', callback)
  await toldTimes(1)
  t.same(names(), ['x'])
})

t.test('its publisher gets the object itself', async (t) => {
  const { publisher } = await up(t)
  const { told, callback, toldTimes } = listener(t)
  const service = new Binder()
  await publisher.registerForNotifications('x', callback)
  await publisher.addService('x', service)
  await toldTimes(1)
  t.equal(told[0]?.[1], service)
})

t.test('every registration is told, also the same again; other names are not', async (t) => {
  const { publisher, listening } = await up(t)
  const { callback, toldTimes, names } = listener(t)
  await listening.registerForNotifications('x', callback)
  for (const name of ['x', 'y', 'x', 'y', 'x']) await publisher.addService(name, new Binder())
  await toldTimes(3)
  t.same(names(), ['x', 'x', 'x'])
})

t.test('registered twice, told twice; unregistered, told no more, of this name', async (t) => {
  const { publisher, listening } = await up(t)
  const { callback, toldTimes, names } = listener(t)
  for (const name of ['x', 'x', 'y']) await listening.registerForNotifications(name, callback)
  await publisher.addService('x', new Binder())
  await toldTimes(2)
  await listening.unregisterForNotifications('x', callback)
  await publisher.addService('x', new Binder())
  await publisher.addService('y', new Binder())
  await toldTimes(3)
  t.same(names(), ['x', 'x', 'y'])
})

t.test('unregistering one callback leaves another', async (t) => {
  const { publisher, listening } = await up(t)
  const [going, staying] = [listener(t), listener(t)]
  await listening.registerForNotifications('x', going.callback)
  await listening.registerForNotifications('x', staying.callback)
  await listening.unregisterForNotifications('x', going.callback)
  await publisher.addService('x', new Binder())
  await staying.toldTimes(1)
  t.equal(going.told.length, 0)
})

t.test('a notice that comes while its callback is unregistered, or its manager closed, is not told', async (t) => {
  const { registry, publisher, listening } = await up(t)
  const { told, callback } = listener(t)
  await listening.registerForNotifications('x', callback)
  await publisher.addService('x', new Binder())
  const unregistered = listening.unregisterForNotifications('x', callback)
  const before = told.length
  await unregistered
  await listening.listServices()
  t.equal(told.length, before)

  await listening.registerForNotifications('x', callback)
  listening.close()
  await (await connect(t, registry)).listServices()
  t.equal(told.length, before)
})

t.test('a callback that is not registered cannot be unregistered', async (t) => {
  const { listening } = await up(t)
  const { callback } = listener(t)
  const refused = { code: 'ERR_ILLEGAL_STATE' }
  await t.rejects(listening.unregisterForNotifications('x', callback), refused)
  await listening.registerForNotifications('x', callback)
  await t.rejects(listening.unregisterForNotifications('y', callback), refused)
  await t.rejects(
    listening.unregisterForNotifications('x', () => {}),
    refused,
  )
  await listening.unregisterForNotifications('x', callback)
  await t.rejects(listening.unregisterForNotifications('x', callback), refused)
})

t.test('a callback must be a function; the name is checked before it', async (t) => {
  const { listening } = await up(t)
  await t.rejects(listening.registerForNotifications('a b', null as unknown as OnRegistration), {
    code: 'ERR_INVALID_ARG_VALUE',
  })
  await t.rejects(listening.registerForNotifications('x', null as unknown as OnRegistration), {
    code: 'ERR_NULL_POINTER',
  })
  await t.rejects(listening.registerForNotifications('x', {} as OnRegistration), { code: 'ERR_INVALID_ARG_TYPE' })
})

t.test('an error in a callback is a process warning, and the next registration is told', async (t) => {
  const { publisher, listening } = await up(t)
  const warnings = warningsOf(t)
  const { callback, toldTimes } = listener(t)
  await listening.registerForNotifications('x', (name, binder) => {
    callback(name, binder)
    throw new Error('not to be told')
  })
  await publisher.addService('x', new Binder())
  await publisher.addService('x', new Binder())
  await toldTimes(2)
  t.match(await warnings.next(2), [{ code: 'MEMSVC_CALLBACK_ERROR' }, { message: /not to be told/ }])
})
