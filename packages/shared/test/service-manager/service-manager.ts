/** The client of the registry, against a real one: names, checks and their order, finding, listing, closing. */

import { bind, constants, listen, socket } from 'memfd-native'
import t, { type Test } from 'tap'
import * as api from '../../src/index.ts'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)
support.watchdog(t)

const managerProcess = support.nodeUrl.fileURLToPath(
  import.meta.resolve('../../test-support/fixtures/manager-process.js'),
)

async function up(t: Test) {
  const { registry, program } = await support.startRegistry(t)
  return { registry, program, manager: await support.connect(t, registry) }
}

/** A service that answers a number. */
const answering = (value: number) => new support.ScriptedBinder({ 1: (_data, reply) => reply.writeInt(value) })
const ask = (binder: api.IBinder | null) => support.call(binder as api.IBinder, 1, { read: (reply) => reply.readInt() })

/** A proxy that ends with the test. */
async function find(t: Test, manager: api.ServiceManager, name: string): Promise<api.BinderProxy> {
  const proxy = (await manager.getService(name)) as api.BinderProxy
  t.teardown(() => proxy.close())
  return proxy
}

// --- connecting ---

const places: [string, (path: string, t: Test) => void, string][] = [
  ['nothing', () => {}, 'ERR_REGISTRY_UNAVAILABLE'],
  ['a file', (path) => support.nodeFs.writeFileSync(path, ''), 'ERR_REGISTRY_UNAVAILABLE'],
  ['a socket that nobody listens at', (path) => abandonedSocket(path), 'ERR_REGISTRY_UNAVAILABLE'],
  ['a socket of another type', (path, t) => streamListener(t, path), 'ERR_REGISTRY_UNAVAILABLE'],
]

function abandonedSocket(path: string): void {
  const listener = socket(constants.SOCK_SEQPACKET)
  bind(listener, path)
  listen(listener)
  listener.close()
}

function streamListener(t: Test, path: string): void {
  const listener = socket(constants.SOCK_STREAM)
  t.teardown(() => listener.close())
  bind(listener, path)
  listen(listener)
}

for (const [what, make, code] of places) {
  t.test(`connecting where ${what} is: ${code}`, async (t) => {
    const path = support.newRegistryPath(t)
    make(path, t)
    await t.rejects(api.ServiceManager.connect({ path }), { code, message: new RegExp(path) })
  })
}

t.test('a path that no socket can have is refused', async (t) => {
  await t.rejects(api.ServiceManager.connect({ path: `/${'x'.repeat(107)}` }), { code: 'ERR_INVALID_ARG_VALUE' })
})

t.test('options are an object', async (t) => {
  const { manager } = await up(t)
  await t.rejects(api.ServiceManager.connect(null as unknown as api.ConnectOptions), { code: 'ERR_NULL_POINTER' })
  await t.rejects(api.ServiceManager.connect('/path' as api.ConnectOptions), { code: 'ERR_INVALID_ARG_TYPE' })
  await t.rejects(manager.addService('x', new api.Binder(), 'x' as api.AddServiceOptions), {
    code: 'ERR_INVALID_ARG_TYPE',
  })
  await t.rejects(manager.waitForService('x', 'x' as { signal?: AbortSignal }), { code: 'ERR_INVALID_ARG_TYPE' })
  await t.rejects(manager.waitForService('x', { signal: {} as AbortSignal }), { code: 'ERR_INVALID_ARG_TYPE' })
})

t.test('a listener that never answers and ends: ERR_DEAD_OBJECT, then ERR_REGISTRY_UNAVAILABLE', async (t) => {
  const path = support.newRegistryPath(t)
  const listener = socket(constants.SOCK_SEQPACKET)
  bind(listener, path)
  listen(listener)
  const manager = await support.connect(t, path)
  const answer = manager.listServices()
  listener.close()
  await t.rejects(answer, { code: 'ERR_DEAD_OBJECT' })
  await t.rejects(manager.listServices(), { code: 'ERR_REGISTRY_UNAVAILABLE' })
})

// --- names ---

const goodNames = ['a', 'Z', '0', '_', '-', '.', '/', 'AnonymousSharedMemory', 'a.b/c-d_e', 'x'.repeat(127)]
const badNames = ['', ' ', 'a b', 'a:b', 'é', 'a\0', 'a\n', 'x'.repeat(128), null, undefined, 5, {}, ['a']]

t.test('names of 1 to 127 letters, digits and _ - . / can be added and found', async (t) => {
  const { manager } = await up(t)
  const service = new api.Binder()
  for (const name of goodNames) {
    await manager.addService(name, service)
    t.equal(await manager.getService(name), service, name)
  }
  t.strictSame(await manager.listServices(), [...goodNames].sort())
})

t.test('other names cannot be added or asked for, and find nothing', async (t) => {
  const { manager } = await up(t)
  const refused = { code: 'ERR_INVALID_ARG_VALUE' }
  for (const bad of badNames) {
    const name = bad as string
    await t.rejects(manager.addService(name, new api.Binder()), refused)
    await t.rejects(
      manager.registerForNotifications(name, () => {}),
      refused,
    )
    await t.rejects(manager.waitForService(name), refused)
    t.equal(await manager.getService(name), null)
    t.equal(await manager.checkService(name), null)
    t.equal(await manager.getServiceInfo(name), null)
  }
  t.strictSame(await manager.listServices(), [])
})

t.test('an object that is not a local Binder cannot be added, whatever its name', async (t) => {
  const { manager, registry } = await up(t)
  await manager.addService('taken', new api.Binder())
  const proxy = await find(t, await support.connect(t, registry), 'taken')
  for (const name of ['free', 'a b']) {
    await t.rejects(manager.addService(name, null as unknown as api.IBinder), {
      code: 'ERR_INVALID_ARG_VALUE',
      message: 'Null binder',
    })
    await t.rejects(manager.addService(name, {} as api.IBinder), { code: 'ERR_INVALID_ARG_TYPE' })
    await t.rejects(manager.addService(name, proxy), { code: 'ERR_INVALID_ARG_TYPE' })
  }
  for (const dumpPriority of [-1, 1.5, 2 ** 31]) {
    await t.rejects(manager.addService('free', new api.Binder(), { dumpPriority }), { code: 'ERR_OUT_OF_RANGE' })
  }
  t.strictSame(await manager.listServices(), ['taken'])
})

// --- finding ---

t.test('a service is found by its own manager as itself, by others as a proxy with a channel of its own', async (t) => {
  const { manager, registry } = await up(t)
  const service = answering(7)
  await manager.addService('seven', service)
  t.equal(await manager.getService('seven'), service)
  t.equal(await manager.checkService('seven'), service)

  const other = await support.connect(t, registry)
  const [first, second] = [await find(t, other, 'seven'), await find(t, other, 'seven')]
  t.type(first, api.BinderProxy)
  t.not(first, second)
  t.same([await ask(first), await ask(second)], [7, 7])
  first.close()
  await t.rejects(ask(first), { code: 'ERR_CLOSED' })
  t.equal(await ask(second), 7, 'its channel is another')
})

t.test('a service that is not there is null', async (t) => {
  const { manager } = await up(t)
  t.equal(await manager.getService('nobody'), null)
  t.equal(await manager.checkService('nobody'), null)
  t.equal(await manager.getServiceInfo('nobody'), null)
})

t.test('a service knows its caller from the kernel', async (t) => {
  const { manager, registry } = await up(t)
  const identify = new support.ScriptedBinder({
    1: (_data, reply) => {
      reply.writeInt(api.Binder.getCallingPid())
      reply.writeInt(api.Binder.getCallingUid())
    },
  })
  await manager.addService('who', identify)
  const read = { read: (reply: { readInt(): number }) => [reply.readInt(), reply.readInt()] }
  t.same(await support.call(await find(t, await support.connect(t, registry), 'who'), 1, read), [
    process.pid,
    process.getuid?.(),
  ])
})

t.test('a service that accepts descriptors gets them through the registry, another does not', async (t) => {
  const { manager, registry } = await up(t)
  const codes = { 1: (data: api.Parcel, reply: api.Parcel) => reply.writeInt(data.hasFileDescriptors() ? 1 : 0) }
  await manager.addService('closed', new support.ScriptedBinder(codes))
  await manager.addService('open', new support.ScriptedBinder(codes, { acceptFileDescriptors: true }))
  const other = await support.connect(t, registry)
  using file = new api.MemoryFile('sent', 4)
  const send = async (name: string) =>
    support.call(await find(t, other, name), 1, {
      write: (data) => data.writeFileDescriptor(file.getFileDescriptor()),
      read: (reply) => reply.readInt(),
    })
  t.equal(await send('open'), 1)
  await t.rejects(send('closed'), { code: 'ERR_UNSUPPORTED_OPERATION' })
})

t.test('adding again replaces: for who asks from then on', async (t) => {
  const { manager, registry } = await up(t)
  const other = await support.connect(t, registry)
  await manager.addService('name', answering(1))
  const before = await find(t, other, 'name')
  await manager.addService('name', answering(2), { dumpPriority: 1 })
  t.equal(await ask(await find(t, other, 'name')), 2)
  t.equal(await ask(before), 1, 'a channel that was made leads where it led')
  t.match(await other.getServiceInfo('name'), { dumpPriority: 1 })
})

t.test('a name that another process holds cannot be taken, and nothing changes', async (t) => {
  const { registry, program } = await support.startRegistry(t, { command: 'start' })
  const manager = await support.connect(t, registry)
  const refusal = { code: 'ERR_ILLEGAL_STATE', message: new RegExp(String(program.pid)) }
  await t.rejects(manager.addService('AnonymousSharedMemory', new api.Binder()), refusal)
  t.match(await manager.getServiceInfo('AnonymousSharedMemory'), { pid: program.pid })
})

t.test('the registry knows who holds a name', async (t) => {
  const { manager } = await up(t)
  await manager.addService('mine', new api.Binder())
  t.same(await manager.getServiceInfo('mine'), { pid: process.pid, uid: process.getuid?.(), dumpPriority: 8 })
})

// --- listing ---

t.test('names are listed sorted, and by priority', async (t) => {
  const { manager } = await up(t)
  const priorities = { z: 1, a: 2, m: 4, b: 8, Z: 3, 'a.b': 16 }
  for (const [name, dumpPriority] of Object.entries(priorities)) {
    await manager.addService(name, new api.Binder(), { dumpPriority })
  }
  await manager.addService('default', new api.Binder())
  const lists: [number | undefined, string[]][] = [
    [undefined, ['Z', 'a', 'b', 'default', 'm', 'z']],
    [15, ['Z', 'a', 'b', 'default', 'm', 'z']],
    [1, ['Z', 'z']],
    [2, ['Z', 'a']],
    [4, ['m']],
    [8, ['b', 'default']],
    [16, ['a.b']],
    [0, []],
    [0x7fffffff, ['Z', 'a', 'a.b', 'b', 'default', 'm', 'z']],
  ]
  for (const [mask, names] of lists) t.strictSame(await manager.listServices(mask), names, `mask ${mask}`)
  await t.rejects(manager.listServices(-1), { code: 'ERR_OUT_OF_RANGE' })
})

// --- closing ---

t.test('after close() everything is ERR_CLOSED, and closing again is harmless', async (t) => {
  const { manager } = await up(t)
  manager.close()
  manager.close()
  const closed = { code: 'ERR_CLOSED' }
  await t.rejects(manager.addService('a', new api.Binder()), closed)
  await t.rejects(manager.getService('a'), closed)
  await t.rejects(manager.getService(''), closed)
  await t.rejects(manager.checkService('a'), closed)
  await t.rejects(manager.waitForService('a'), closed)
  await t.rejects(manager.listServices(), closed)
  await t.rejects(manager.getServiceInfo('a'), closed)
  await t.rejects(
    manager.registerForNotifications('a', () => {}),
    closed,
  )
  await t.rejects(
    manager.unregisterForNotifications('a', () => {}),
    closed,
  )
})

t.test('published services go with their manager; found ones stay', async (t) => {
  const { manager, registry } = await up(t)
  const publisher = await support.connect(t, registry)
  await publisher.addService('gone', answering(3))
  const proxy = await find(t, manager, 'gone')
  publisher.close()
  while ((await manager.getService('gone')) !== null);
  t.equal(await ask(proxy), 3)
  manager.close()
  t.equal(await ask(proxy), 3)
})

t.test('after the notice of its death a service is not found any more', async (t) => {
  const { manager, registry } = await up(t)
  for (let round = 0; round < 8; round++) {
    const program = support.startProgram(managerProcess, [registry, 'add'])
    t.teardown(() => program.destroy())
    const service = await manager.waitForService('mine')
    const death = new Promise<api.IBinder>((resolve) => service.linkToDeath({ binderDied: resolve }))
    program.kill('SIGKILL')
    t.equal(await death, service)
    t.equal(await manager.getService('mine'), null)
  }
})

t.test(
  'only a process with services takes a high descriptor: to make the table large takes the kernel milliseconds',
  async (t) => {
    const { manager } = await up(t)
    const highest = () => Math.max(...support.nodeFs.readdirSync('/proc/self/fd').map(Number))
    await manager.listServices()
    t.ok(highest() < 4096, 'not to ask')
    await manager.addService('a', new api.Binder())
    t.ok(highest() >= 4096, 'but to be asked')
    t.strictSame(await manager.listServices(), ['a'], 'by the same connection')
  },
)

t.test('a call under way when the manager is closed is ERR_DEAD_OBJECT', async (t) => {
  const { manager } = await up(t)
  const answer = manager.listServices()
  manager.close()
  await t.rejects(answer, { code: 'ERR_DEAD_OBJECT' })
})
