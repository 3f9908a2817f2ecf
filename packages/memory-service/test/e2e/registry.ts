/** The registry without a service of its own, services of other processes, and what becomes of names when hosts die. */
import { IMemoryService, type ImplementationOf } from '@memsvc/shared'
import { type Daemon, leakChecked, type Program, watchdog } from '@memsvc/shared/test-support'
import t, { type Test } from 'tap'
import * as support from '../../test-support/index.ts'

watchdog(t)
leakChecked(t)

/** A service of a user's own: without a region, it counts. */
class Counter extends IMemoryService.Stub implements ImplementationOf<typeof IMemoryService> {
  sum = 0

  getFileDescriptor(): null {
    return null
  }

  setValue(value: number): void {
    this.sum += value
  }
}

function startRegistry(t: Test): Promise<Daemon> {
  return support.startMemsvc(t, { command: 'registry' })
}

async function startNamed(t: Test, registry: string, names: readonly string[]): Promise<Map<string, Program>> {
  const daemons = new Map<string, Program>()
  for (const name of names)
    daemons.set(name, (await support.startMemsvc(t, { registry, args: ['--name', name] })).program)
  return daemons
}

async function hostsAmong(registry: string, names: readonly string[]): Promise<string[]> {
  const hosts = await Promise.all(names.map((name) => support.readStatus(registry, name)))
  return hosts.filter(({ host }) => host).map(({ name }) => String(name))
}

t.test('`memsvc registry` serves names, and has none of its own', async (t) => {
  const { registry, program } = await startRegistry(t)
  const manager = await support.connect(t, registry)
  t.strictSame(await manager.listServices(), [])
  const counter = new Counter()
  await manager.addService('counter', counter)
  const service = await (await support.connect(t, registry)).getService('counter')
  if (service === null) throw new Error('not found')
  await IMemoryService.asInterface(service).setValue(7)
  t.equal(counter.sum, 7)
  program.kill('SIGTERM')
  const { code, stderr } = await program.ending
  t.equal(code, 0)
  t.strictSame(support.warnings(stderr), [])
  await IMemoryService.asInterface(service).setValue(8)
  t.equal(counter.sum, 15, 'a channel that was made lives on without the registry')
  if ('close' in service && typeof service.close === 'function') service.close()
})

t.test('a second registry at the same path says that there is one', async (t) => {
  const { registry } = await startRegistry(t)
  const { code, stderr } = await support.memsvc(registry, ['registry'])
  t.equal(code, 1)
  t.equal(stderr.split('\n').at(-1), `memsvc: another process hosts the registry at ${registry}`)
})

t.test('a daemon registers with a registry that runs, and goes without it', async (t) => {
  const { registry } = await startRegistry(t)
  const { program } = await support.startMemsvc(t, { registry })
  t.match(await support.readStatus(registry), { pid: program.pid, host: false, connections: 0 })
  t.match(await support.memsvc(registry, ['stop']), { code: 0 })
  t.match(await program.ending, { code: 0 })
  await support.namesBecome(registry, [])
})

t.test('a name in use is refused, with its holder’s pid, and nothing changes', async (t) => {
  const { registry, program } = await support.startMemsvc(t)
  const value = await support.openValue(t, registry)
  const { code, stderr } = await support.memsvc(registry, ['start'])
  t.equal(code, 1)
  const refusal = `the name AnonymousSharedMemory is held by process ${program.pid}`
  t.equal(stderr.split('\n').at(-1), `memsvc: ${refusal}`)
  const manager = await support.connect(t, registry)
  await t.rejects(manager.addService('AnonymousSharedMemory', new Counter()), {
    code: 'ERR_ILLEGAL_STATE',
    message: refusal,
  })
  await value.set(42)
  t.equal(value.get(), 42)
  t.equal((await support.readStatus(registry)).pid, program.pid)
})

t.test('a name goes with its process, whether that ends or is killed', async (t) => {
  const { registry } = await startRegistry(t)
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const { program } = await support.startMemsvc(t, { registry })
    const value = await support.openValue(t, registry)
    const dead = support.death(value.binder)
    program.kill(signal)
    await dead
    await support.namesBecome(registry, [])
    t.notOk(value.binder.isBinderAlive(), signal)
  }
})

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  t.test(`when the host goes by ${signal} a survivor takes over, and all names come back`, async (t) => {
    const { registry, program } = await support.startMemsvc(t)
    await startNamed(t, registry, ['one', 'two', 'three'])
    const counter = new Counter()
    await (await support.connect(t, registry)).addService('counter', counter)
    const value = await support.openValue(t, registry, 'one')
    await value.set(1)
    program.kill(signal)
    await program.ending
    await support.namesBecome(registry, ['one', 'two', 'three', 'counter'])
    t.equal((await hostsAmong(registry, ['one', 'two', 'three'])).length, 1)
    await value.set(2)
    t.equal((await support.openValue(t, registry, 'one')).get(), 2, 'who was not the host has lost nothing')
    const { program: next } = await support.startMemsvc(t, { registry })
    t.match(await support.readStatus(registry), { pid: next.pid, host: false })
  })
}

t.test('the registry goes from survivor to survivor until nobody is left', async (t) => {
  const { registry, program } = await startRegistry(t)
  const daemons = await startNamed(t, registry, ['a', 'b', 'c', 'd'])
  await program.destroy()
  while (daemons.size > 0) {
    const names = [...daemons.keys()]
    await support.namesBecome(registry, names)
    const [host, ...others] = await hostsAmong(registry, names)
    t.ok(host, `${host} hosts ${names.join()}`)
    t.strictSame(others, [])
    await daemons.get(String(host))?.destroy()
    daemons.delete(String(host))
  }
  t.match(await support.memsvc(registry, ['list']), { code: 3 })
})

t.test('a client that waits for a service gets it although the host dies', async (t) => {
  const { registry, program } = await support.startMemsvc(t)
  await startNamed(t, registry, ['survivor'])
  const waiting = (await support.connect(t, registry)).waitForService('late')
  await program.destroy()
  await support.namesBecome(registry, ['survivor'])
  await startNamed(t, registry, ['late'])
  const service = await waiting
  t.ok(await service.pingBinder())
  if ('close' in service && typeof service.close === 'function') service.close()
})

t.test('a daemon whose name somebody else has taken meanwhile ends, and says whose it is', async (t) => {
  const { registry, program: host } = await startRegistry(t)
  const { program: loser } = await support.startMemsvc(t, { registry })
  loser.kill('SIGSTOP')
  await host.destroy()
  const { program: winner } = await support.startMemsvc(t, { registry })
  loser.kill('SIGCONT')
  const { code, stderr } = await loser.ending
  t.equal(code, 1)
  const last = stderr.split('\n').at(-1)
  t.match(
    last,
    /^memsvc: the name (AnonymousSharedMemory|SharedStore) is held by process \d+$/,
    'whichever was refused first',
  )
  t.match(last, new RegExp(` ${winner.pid}$`))
  t.equal((await support.readStatus(registry)).pid, winner.pid)
})
