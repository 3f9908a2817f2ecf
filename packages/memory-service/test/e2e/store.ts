/** The store that a daemon publishes beside its value: who has one, who may write it, whose name it is. */
import { OwnedStore } from '@memsvc/shared'
import { leakChecked, newRegistryPath, OTHER_UID, otherUserProblem, watchdog } from '@memsvc/shared/test-support'
import t, { type Test } from 'tap'
import * as support from '../../test-support/index.ts'

const skip = otherUserProblem(support.MEMSVC)
const THIRD_UID = 65533
const MIB = 1024 * 1024

watchdog(t)
leakChecked(t)

t.test('a value that one process sets is in the next get of another process', async (t) => {
  const { registry } = await support.startMemsvc(t)
  const [writer, reader] = [await support.openStore(t, registry), await support.openStore(t, registry)]
  t.strictSame(await (await support.connect(t, registry)).listServices(), support.OWN_NAMES)
  const version = await writer.set('dark-mode', { on: true })
  t.match(reader.getEntry('dark-mode'), { value: { on: true }, version, type: 'json' })
  t.equal(await reader.increment('hits', 2), 2)
  t.equal(writer.get('hits'), 2)
})

t.test('status has what the store holds, under either name, and strangers do not see it', { skip }, async (t) => {
  const registry = newRegistryPath(t, 0o711)
  await support.startMemsvc(t, { registry, args: ['--socket-mode', '666'] })
  const store = await support.openStore(t, registry)
  await store.set('bytes', new Uint8Array(100))
  for (const name of support.OWN_NAMES) {
    const [status, ...others] = (await support.readStatus(registry, name)).stores
    t.strictSame(others, [])
    t.match(status, { name: 'SharedStore', keys: 1, valueBytes: 100, watchers: 0 })
    t.ok((status?.usedBytes ?? 0) > 100)
  }
  t.match((await support.memsvc(registry, ['status'])).stdout, /\nstore SharedStore: 1 key, /)
  const { stdout } = await support.memsvc(registry, ['status', '--json'], { uid: OTHER_UID })
  t.notHas(JSON.parse(stdout), { stores: [] })
})

t.test('a store that is not used takes little of its 64 MiB', async (t) => {
  const { registry } = await support.startMemsvc(t)
  const [status] = (await support.readStatus(registry)).stores
  t.ok((status?.allocatedBytes ?? MIB) < MIB, `${status?.allocatedBytes} bytes`)
})

for (const [title, args] of [
  ['--no-store', ['--no-store']],
  ['another name', ['--name', 'another']],
] as const) {
  t.test(`a daemon with ${title} has no store`, async (t) => {
    const { registry } = await support.startMemsvc(t, { args: [...args] })
    const names = await (await support.connect(t, registry)).listServices()
    t.strictSame(names.length, 1)
    t.strictSame((await support.readStatus(registry, names[0])).stores, [])
  })
}

t.test('everybody who may connect reads, and only users named by --writers write', { skip }, async (t) => {
  const registry = newRegistryPath(t, 0o711)
  await support.startMemsvc(t, { registry, args: ['--socket-mode', '666', '--writers', String(OTHER_UID)] })
  t.strictSame(await support.callAs(OTHER_UID, registry, 'set', 'k', '[1]'), { ok: null })
  t.strictSame(await support.callAs(THIRD_UID, registry, 'get', 'k'), { ok: [1] })
  t.match(await support.callAs(THIRD_UID, registry, 'set', 'k', '2'), {
    code: 'ERR_SECURITY',
    message: `uid ${THIRD_UID} may not write this key`,
  })
  t.strictSame(await support.callAs(0, registry, 'get', 'k'), { ok: [1] })
})

t.test('a daemon that finds the name of the store held serves without it, and says whose it is', async (t) => {
  const { registry } = await support.startMemsvc(t, { args: ['--name', 'host'] })
  const manager = await support.connect(t, registry)
  using mine = new OwnedStore()
  await manager.addService('SharedStore', mine.binder)
  const { program } = await support.startMemsvc(t, { registry })
  t.match(support.warnings(program.stderr.text), [
    {
      level: 40,
      msg: 'the store is not served',
      name: 'SharedStore',
      reason: `the name SharedStore is held by process ${process.pid}`,
    },
  ])
  t.match(await support.readStatus(registry), { pid: program.pid, stores: [] })
  t.equal((await (await support.connect(t, registry)).getServiceInfo('SharedStore'))?.pid, process.pid)
})

t.test('a daemon that may not add the name of the store serves without it', { skip }, async (t) => {
  const registry = newRegistryPath(t, 0o711)
  await support.startMemsvc(t, {
    registry,
    args: ['--name', 'host', '--socket-mode', '666', '--config', forbidding(t)],
  })
  const trusting = ['--registry-owner', '0']
  const { program } = await support.startMemsvc(t, { registry, uid: OTHER_UID, args: trusting })
  t.match(support.warnings(program.stderr.text), [
    { msg: 'the store is not served', reason: /may not add "SharedStore"/ },
  ])
  t.match(await support.readStatus(registry), { pid: program.pid, stores: [] })
})

t.test('a store whose name goes to another process while the host changes is served no more', async (t) => {
  const { registry, program: host } = await support.startMemsvc(t, { args: ['--name', 'host'] })
  const { program } = await support.startMemsvc(t, { registry })
  const store = await support.openStore(t, registry)
  await store.set('of', 'daemon')
  program.kill('SIGSTOP')
  await host.destroy()
  const { program: next } = await support.startMemsvc(t, { registry, args: ['--name', 'next'] })
  const manager = await support.connect(t, registry)
  using mine = new OwnedStore()
  await manager.addService('SharedStore', mine.binder)
  mine.set('of', 'another')
  program.kill('SIGCONT')
  await program.stderr.find((line) => line.includes('the store is no longer served'))
  for await (const { value } of store.changes('of', { initial: true })) if (value === 'another') break
  t.equal(store.get('of'), 'another', 'clients find the other one')
  t.match(await support.readStatus(registry), { pid: program.pid, stores: [] })
  t.ok(next.pid)
})

/** Everybody may add the names of services, but for the store's. */
function forbidding(t: Test): string {
  return new support.ConfigurationFile(t, {
    rules: [
      { names: ['SharedStore'], add: [] },
      { names: ['*'], add: ['*'] },
    ],
  }).path
}
