/** Any number of daemons started at once: one hosts the registry, and each name has one holder. */
import { DEFAULT_SERVICE_NAME } from '@memsvc/shared'
import { leakChecked, newRegistryPath, type Program, startProgram, watchdog } from '@memsvc/shared/test-support'
import t, { type Test } from 'tap'
import { connect, MEMSVC, readStatus } from '../../test-support/index.ts'

const DAEMONS = 20
const ROUNDS = 3

watchdog(t)
leakChecked(t)

/** Twenty at once. Some say ready, the others end. */
function startAll(t: Test, registry: string, name: (i: number) => string): Program[] {
  return Array.from({ length: DAEMONS }, (_, i) => {
    const program = startProgram(MEMSVC, ['start', '--registry', registry, '--name', name(i)])
    t.teardown(() => program.destroy())
    return program
  })
}

function isReady(program: Program): Promise<boolean> {
  return program.stderr.find((line) => line.includes('"msg":"ready"')).then((line) => line !== null)
}

for (let round = 1; round <= ROUNDS; round++) {
  t.test(`of twenty with one name one wins, and the others name it, round ${round}`, async (t) => {
    const registry = newRegistryPath(t)
    const programs = startAll(t, registry, () => DEFAULT_SERVICE_NAME)
    const endings = new Map<Program, number | null>()
    const ended = programs.map((program) =>
      program.ending.then(({ code }) => {
        endings.set(program, code)
        return program
      }),
    )
    // All but one end, whichever it is.
    await allBut(1, ended)
    const [winner] = programs.filter((program) => !endings.has(program))
    t.ok(winner, 'one is left')
    t.strictSame([...endings.values()], Array(DAEMONS - 1).fill(1), 'the others exit 1')
    const status = await readStatus(registry)
    t.equal(status.pid, winner?.pid)
    t.ok(status.host, 'the winner hosts the registry, or took it over')
    for (const { stderr } of await Promise.all([...endings.keys()].map((program) => program.ending))) {
      t.match(stderr.split('\n').at(-1), /^memsvc: the name AnonymousSharedMemory is held by process \d+$/)
    }
  })

  t.test(`of twenty with names of their own one hosts, and all serve, round ${round}`, async (t) => {
    const registry = newRegistryPath(t)
    const programs = startAll(t, registry, (i) => `service-${i}`)
    t.strictSame(await Promise.all(programs.map(isReady)), Array(DAEMONS).fill(true))
    const manager = await connect(t, registry)
    t.equal((await manager.listServices()).length, DAEMONS)
    const pids = await Promise.all(programs.map(async (_, i) => (await manager.getServiceInfo(`service-${i}`))?.pid))
    t.strictSame(
      pids,
      programs.map(({ pid }) => pid),
    )
    const hosts = programs.filter(({ stderr }) => stderr.text.includes('hosting the registry'))
    t.equal(hosts.length, 1, 'one host')
  })
}

/** Resolves when at most `count` of the promises are pending. */
function allBut(count: number, promises: readonly Promise<unknown>[]): Promise<void> {
  let pending = promises.length
  return new Promise((resolve) => {
    for (const promise of promises) {
      void promise.then(() => {
        pending -= 1
        if (pending === count) resolve()
      })
    }
  })
}
