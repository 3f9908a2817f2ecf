/** The store that a daemon publishes beside its value: who has one, who may write it, whose name it is. */
import { OwnedStore } from '@memsvc/shared'
import { leakChecked, newRegistryPath, OTHER_UID, otherUserProblem, watchdog } from '@memsvc/shared/test-support'
import t, { type Test } from 'tap'
import { callAs } from '../../test-support/call-as.ts'
import { ConfigurationFile } from '../../test-support/configuration.ts'
import { MEMSVC, memsvc, OWN_NAMES, readStatus, startMemsvc, warnings } from '../../test-support/memsvc.ts'
import { openStore } from '../../test-support/store.ts'
import { connect } from '../../test-support/value.ts'

const skip = otherUserProblem(MEMSVC)
const THIRD_UID = 65533
const MIB = 1024 * 1024

watchdog(t)
leakChecked(t)

t.test('what one process sets in the store of a daemon the next get of another has', async (t) => {
  const { registry } = await startMemsvc(t)
  const [writer, reader] = [await openStore(t, registry), await openStore(t, registry)]
  t.strictSame(await (await connect(t, registry)).listServices(), OWN_NAMES)
  const version = await writer.set('dark-mode', { on: true })
  t.match(reader.getEntry('dark-mode'), { value: { on: true }, version, type: 'json' })
  t.equal(await reader.increment('hits', 2), 2)
  t.equal(writer.get('hits'), 2)
})

t.test('status has what the store holds, under either name, and strangers do not see it', { skip }, async (t) => {
  const registry = newRegistryPath(t, 0o711)
  await startMemsvc(t, { registry, args: ['--socket-mode', '666'] })
  const store = await openStore(t, registry)
  await store.set('bytes', new Uint8Array(100))
  for (const name of OWN_NAMES) {
    const [status, ...others] = (await readStatus(registry, name)).stores
    t.strictSame(others, [])
    t.match(status, { name: 'SharedStore', keys: 1, valueBytes: 100, watchers: 0 })
    t.ok((status?.usedBytes ?? 0) > 100)
  }
  t.match((await memsvc(registry, ['status'])).stdout, /\nstores: \[\{"name":"SharedStore","keys":1,/)
  const { stdout } = await memsvc(registry, ['status', '--json'], { uid: OTHER_UID })
  t.notHas(JSON.parse(stdout), { stores: [] })
})

t.test('a store that is not used takes little of its 64 MiB', async (t) => {
  const { registry } = await startMemsvc(t)
  const [status] = (await readStatus(registry)).stores
  t.ok((status?.allocatedBytes ?? MIB) < MIB, `${status?.allocatedBytes} bytes`)
})

for (const [title, args] of [
  ['--no-store', ['--no-store']],
  ['another name', ['--name', 'another']],
] as const) {
  t.test(`a daemon with ${title} has no store`, async (t) => {
    const { registry } = await startMemsvc(t, { args: [...args] })
    const names = await (await connect(t, registry)).listServices()
    t.strictSame(names.length, 1)
    t.strictSame((await readStatus(registry, names[0])).stores, [])
  })
}

t.test('whoever may connect reads, whoever --writers names writes, and nobody else', { skip }, async (t) => {
  const registry = newRegistryPath(t, 0o711)
  await startMemsvc(t, { registry, args: ['--socket-mode', '666', '--writers', String(OTHER_UID)] })
  t.strictSame(await callAs(OTHER_UID, registry, 'set', 'k', '[1]'), { ok: null })
  t.strictSame(await callAs(THIRD_UID, registry, 'get', 'k'), { ok: [1] })
  t.match(await callAs(THIRD_UID, registry, 'set', 'k', '2'), {
    code: 'ERR_SECURITY',
    message: `uid ${THIRD_UID} may not write this key`,
  })
  t.strictSame(await callAs(0, registry, 'get', 'k'), { ok: [1] })
})

t.test('a daemon that finds the name of the store held serves without it, and says whose it is', async (t) => {
  const { registry } = await startMemsvc(t, { args: ['--name', 'host'] })
  const manager = await connect(t, registry)
  using mine = new OwnedStore()
  await manager.addService('SharedStore', mine.binder)
  const { program } = await startMemsvc(t, { registry })
  t.match(warnings(program.stderr.text), [
    {
      level: 40,
      msg: 'the store is not served',
      name: 'SharedStore',
      reason: `the name SharedStore is held by process ${process.pid}`,
    },
  ])
  t.match(await readStatus(registry), { pid: program.pid, stores: [] })
  t.equal((await (await connect(t, registry)).getServiceInfo('SharedStore'))?.pid, process.pid)
})

t.test('a daemon that may not add the name of the store serves without it', { skip }, async (t) => {
  const registry = newRegistryPath(t, 0o711)
  await startMemsvc(t, { registry, args: ['--name', 'host', '--socket-mode', '666', '--config', forbidding(t)] })
  const trusting = ['--registry-owner', '0']
  const { program } = await startMemsvc(t, { registry, uid: OTHER_UID, args: trusting })
  t.match(warnings(program.stderr.text), [{ msg: 'the store is not served', reason: /may not add "SharedStore"/ }])
  t.match(await readStatus(registry), { pid: program.pid, stores: [] })
})

t.test('a store whose name goes to another process while the host changes is served no more', async (t) => {
  const { registry, program: host } = await startMemsvc(t, { args: ['--name', 'host'] })
  const { program } = await startMemsvc(t, { registry })
  const store = await openStore(t, registry)
  await store.set('of', 'daemon')
  program.kill('SIGSTOP')
  await host.destroy()
  const { program: next } = await startMemsvc(t, { registry, args: ['--name', 'next'] })
  const manager = await connect(t, registry)
  using mine = new OwnedStore()
  await manager.addService('SharedStore', mine.binder)
  mine.set('of', 'another')
  program.kill('SIGCONT')
  await program.stderr.find((line) => line.includes('the store is served no more'))
  for await (const { value } of store.changes('of', { initial: true })) if (value === 'another') break
  t.equal(store.get('of'), 'another', 'clients find the other one')
  t.match(await readStatus(registry), { pid: program.pid, stores: [] })
  t.ok(next.pid)
})

/** Everybody may add the names of services, but for the store's. */
function forbidding(t: Test): string {
  return new ConfigurationFile(t, {
    rules: [
      { names: ['SharedStore'], add: [] },
      { names: ['*'], add: ['*'] },
    ],
  }).path
}
