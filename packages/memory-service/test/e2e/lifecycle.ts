/** From start to end: readiness, signals, and an end that leaves nothing behind. */
import { existsSync, lstatSync, openSync, readFileSync } from 'node:fs'
import { leakChecked, newRegistryPath, type Program, startProgram, watchdog } from '@memsvc/shared/test-support'
import { bind, connect, constants, listen, lockFile, OwnedFd, socket } from 'memfd-native'
import t, { type Test } from 'tap'
import { death, MEMSVC, memsvc, openValue, readStatus, startMemsvc, warnings } from '../../test-support/index.ts'

const LISTEN = '0A'
const INSPECTOR_PORT = ':240D' // 9229

watchdog(t)
leakChecked(t)

t.test('it is usable when it says ready, with the value 0', async (t) => {
  const { registry, program } = await startMemsvc(t)
  t.match(JSON.parse(program.stderr.text.split('\n').at(-1) ?? ''), {
    msg: 'ready',
    name: 'AnonymousSharedMemory',
    registry,
    host: true,
    pid: program.pid,
  })
  t.equal((await openValue(t, registry)).get(), 0)
  t.equal(program.stdout.text, '', 'stdout is for data')
})

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  t.test(`${signal} ends it cleanly: exit 0, the socket is gone, its clients know`, async (t) => {
    const { registry, program } = await startMemsvc(t)
    const value = await openValue(t, registry)
    const gone = death(value.binder)
    program.kill(signal)
    const { code, stderr } = await program.ending
    t.equal(code, 0)
    t.match(stderr.split('\n').at(-1), /"msg":"stopped"/)
    t.strictSame(warnings(stderr), [])
    t.notOk(existsSync(registry))
    await gone
    t.equal(value.get(), 0, 'what is mapped stays readable')
  })
}

t.test('a second signal ends it at once', async (t) => {
  // Both are pending when it goes on. Now and then it has ended by the first one before the second is told: then again.
  for (let code: number | null = 0; code === 0; ) {
    const { registry, program } = await startMemsvc(t)
    program.kill('SIGSTOP')
    program.kill('SIGTERM')
    program.kill('SIGINT')
    program.kill('SIGCONT')
    code = (await program.ending).code
    if (code === 0) continue
    t.ok(code === 128 + 15 || code === 128 + 2, `exit ${code}`)
    const next = await startMemsvc(t, { registry })
    t.ok(next.program.pid, 'and the next one needs no hand')
  }
})

t.test('a signal while the registry does not answer ends it cleanly too', async (t) => {
  const { registry, program: host } = await startMemsvc(t, { args: ['--name', 'host'] })
  host.kill('SIGSTOP')
  const program = await beginMemsvc(t, registry)
  program.kill('SIGHUP') // a reload that comes too early, or a terminal that goes away
  program.kill('SIGTERM')
  t.match(await program.ending, { code: 0, signal: null })
})

t.test('a signal while it waits for a host that has the lock but no socket ends it cleanly too', async (t) => {
  const registry = newRegistryPath(t)
  using lock = OwnedFd.adopt(openSync(`${registry}.lock`, 'w', 0o600))
  t.ok(lockFile(lock))
  const program = await beginMemsvc(t, registry)
  program.kill('SIGTERM')
  t.match(await program.ending, { code: 0, signal: null })
  t.notOk(existsSync(registry))
})

// The patience of the publisher.
t.test('a registry that lets nobody in is given up in the end', async (t) => {
  const registry = newRegistryPath(t)
  using busy = socket(constants.SOCK_SEQPACKET)
  bind(busy, registry)
  listen(busy, 0)
  using waiting = socket(constants.SOCK_SEQPACKET)
  connect(waiting, registry)
  const { code, stderr } = await (await beginMemsvc(t, registry)).ending
  t.ok(code !== 0 && code !== null, `exit ${code}`)
  t.match(stderr.split('\n').at(-1), /^memsvc: /)
})

t.test('SIGUSR1 opens no inspector, SIGHUP and SIGPIPE do not end it', async (t) => {
  const { registry, program } = await startMemsvc(t)
  const before = inspectors(program.pid)
  for (const signal of ['SIGUSR1', 'SIGHUP', 'SIGPIPE', 'SIGUSR1'] as const) program.kill(signal)
  // It answers, so it has handled what came before.
  t.equal((await readStatus(registry)).pid, program.pid)
  t.strictSame(inspectors(program.pid), before)
  t.notMatch(program.stderr.text, /Debugger/)
})

t.test('`memsvc stop` returns when the name is gone, and the daemon ends with 0', async (t) => {
  const { registry, program } = await startMemsvc(t)
  t.match(await memsvc(registry, ['stop']), {
    code: 0,
    stdout: `AnonymousSharedMemory stopped (pid ${program.pid})`,
    stderr: /^memsvc: stopping AnonymousSharedMemory /,
  })
  t.match(await program.ending, { code: 0, signal: null })
  t.match(await memsvc(registry, ['stop']), { code: 3, stdout: '' })
})

t.test('`memsvc stop --json` says only what is JSON', async (t) => {
  const { registry, program } = await startMemsvc(t)
  t.match(await memsvc(registry, ['stop', '--json']), {
    code: 0,
    stdout: `{"name":"AnonymousSharedMemory","pid":${program.pid},"stopped":true}`,
    stderr: '',
  })
})

t.test('after a kill -9 the next one starts on the same socket, and serves', async (t) => {
  const { registry, program } = await startMemsvc(t)
  for (let round = 0, daemon = program; round < 3; round++) {
    await daemon.destroy()
    t.ok(lstatSync(registry).isSocket(), 'the stale socket is there')
    const begin = performance.now()
    daemon = (await startMemsvc(t, { registry })).program
    const value = await openValue(t, registry)
    t.comment(`serves ${Math.round(performance.now() - begin)} ms after it was started`)
    await value.set(round)
    t.equal(value.get(), round)
  }
})

/** A daemon that begins to start, and will not get far. */
async function beginMemsvc(t: Test, registry: string): Promise<Program> {
  const program = startProgram(MEMSVC, ['start', '--registry', registry])
  t.teardown(() => program.destroy())
  await program.stderr.find((line) => line.includes('"msg":"starting"'))
  return program
}

/** Who listens at the inspector's port in this network namespace: proc_pid_net(5), addresses in hexadecimal. */
function inspectors(pid: number): string[] {
  const tables = ['tcp', 'tcp6'].map((name) => readFileSync(`/proc/${pid}/net/${name}`, 'latin1'))
  const rows = tables.flatMap((table) => table.trim().split('\n').slice(1)).map((row) => row.trim().split(/\s+/))
  return rows.filter((row) => row[3] === LISTEN && row[1]?.endsWith(INSPECTOR_PORT)).map((row) => row[1] ?? '')
}
