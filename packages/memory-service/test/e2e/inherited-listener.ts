/** A registry on a socket that somebody else made: systemd-socket-activate(1), as systemd's socket units do it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { lstatSync } from 'node:fs'
import { DEFAULT_SERVICE_NAME } from '@memsvc/shared'
import { leakChecked, newRegistryPath, Program, watchdog } from '@memsvc/shared/test-support'
import t, { type Test } from 'tap'
import { MEMSVC, memsvc, readStatus, startMemsvc } from '../../test-support/memsvc.ts'
import { connectSoon, death, openValueSoon } from '../../test-support/value.ts'

const ACTIVATE = 'systemd-socket-activate'
const skip = spawnSync(ACTIVATE, ['--version']).status === 0 ? false : `${ACTIVATE} is not installed`

watchdog(t)
leakChecked(t)

/** Waits for the first connection, and then becomes the daemon. */
function activate(t: Test, registry: string): Program {
  const command = [process.execPath, MEMSVC, 'start', '--registry', registry]
  const child: ChildProcess = spawn('env', ['-i', ACTIVATE, '--seqpacket', `--listen=${registry}`, ...command])
  const program = new Program(child)
  t.teardown(() => program.destroy())
  return program
}

t.test('the first client starts the daemon, and is served', { skip }, async (t) => {
  const registry = newRegistryPath(t)
  const program = activate(t, registry)
  const value = await openValueSoon(t, registry)
  await value.set(42)
  t.equal(value.get(), 42)
  t.match(await readStatus(registry), { pid: program.pid, host: true, value: 42 })
})

t.test('the socket is not the daemon’s to remove, and there is no lock', { skip }, async (t) => {
  const registry = newRegistryPath(t)
  const program = activate(t, registry)
  const value = await openValueSoon(t, registry)
  const gone = death(value.binder)
  const { ino } = lstatSync(registry)
  t.throws(() => lstatSync(`${registry}.lock`), { code: 'ENOENT' })
  program.kill('SIGTERM')
  t.match(await program.ending, { code: 0 })
  await gone
  t.equal(lstatSync(registry).ino, ino)
})

t.test('another daemon joins it, and does not take the socket away', { skip }, async (t) => {
  const registry = newRegistryPath(t)
  const host = activate(t, registry)
  await openValueSoon(t, registry)
  const { ino } = lstatSync(registry)
  const { program } = await startMemsvc(t, { registry, args: ['--name', 'second'] })
  t.match(await readStatus(registry, 'second'), { pid: program.pid, host: false })
  t.match(await readStatus(registry), { pid: host.pid, host: true })
  t.equal(lstatSync(registry).ino, ino)
  using manager = await connectSoon(registry)
  t.strictSame(await manager.listServices(), [DEFAULT_SERVICE_NAME, 'second'])
  t.match(await memsvc(registry, ['start']), { code: 1, stderr: new RegExp(`is held by process ${host.pid}$`) })
})
