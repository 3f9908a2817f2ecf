/** A registry on a socket that somebody else made: systemd-socket-activate(1), as systemd's socket units do it. */

import { leakChecked, newRegistryPath, Program, watchdog } from '@memsvc/shared/test-support'
import { connect, constants, type OwnedFd, socket } from 'memfd-native'
import t, { type Test } from 'tap'
import * as support from '../../test-support/index.ts'

const ACTIVATE = 'systemd-socket-activate'
const skip =
  support.nodeChildProcess.spawnSync(ACTIVATE, ['--version']).status === 0 ? false : `${ACTIVATE} is not installed`

const LOOK_MS = 10

watchdog(t)
leakChecked(t)

/** Waits for the first connection, and then becomes the daemon. */
function activate(t: Test, registry: string, options = ['--seqpacket', `--listen=${registry}`]): Program {
  const command = [process.execPath, support.MEMSVC, 'start', '--registry', registry]
  const child: support.nodeChildProcess.ChildProcess = support.nodeChildProcess.spawn('env', [
    '-i',
    ACTIVATE,
    ...options,
    ...command,
  ])
  const program = new Program(child)
  t.teardown(() => program.destroy())
  return program
}

t.test('the first client starts the daemon, and is served', { skip }, async (t) => {
  const registry = newRegistryPath(t)
  const program = activate(t, registry)
  const value = await support.openValueSoon(t, registry)
  await value.set(42)
  t.equal(value.get(), 42)
  t.match(await support.readStatus(registry), { pid: program.pid, host: true, value: 42 })
})

t.test('the socket is not the daemon’s to remove, and there is no lock', { skip }, async (t) => {
  const registry = newRegistryPath(t)
  const program = activate(t, registry)
  const value = await support.openValueSoon(t, registry)
  const gone = support.death(value.binder)
  const { ino } = support.nodeFs.lstatSync(registry)
  t.throws(() => support.nodeFs.lstatSync(`${registry}.lock`), { code: 'ENOENT' })
  program.kill('SIGTERM')
  t.match(await program.ending, { code: 0 })
  await gone
  t.equal(support.nodeFs.lstatSync(registry).ino, ino)
})

t.test('another daemon joins it, and does not take the socket away', { skip }, async (t) => {
  const registry = newRegistryPath(t)
  const host = activate(t, registry)
  await support.openValueSoon(t, registry)
  const { ino } = support.nodeFs.lstatSync(registry)
  const { program } = await support.startMemsvc(t, { registry, args: ['--name', 'second'] })
  t.match(await support.readStatus(registry, 'second'), { pid: program.pid, host: false })
  t.match(await support.readStatus(registry), { pid: host.pid, host: true })
  t.equal(support.nodeFs.lstatSync(registry).ino, ino)
  using manager = await support.connectSoon(registry)
  t.strictSame(await manager.listServices(), [...support.OWN_NAMES, 'second'])
  t.match(await support.memsvc(registry, ['start']), { code: 1, stderr: new RegExp(`is held by process ${host.pid}$`) })
})

/** A connection to a socket that is about to listen. */
async function knock(path: string, type: number): Promise<OwnedFd> {
  for (;;) {
    const client = socket(type)
    try {
      connect(client, path)
      return client
    } catch {
      client.close()
      await support.nodeTimers.setTimeout(LOOK_MS)
    }
  }
}

const { SOCK_SEQPACKET, SOCK_STREAM } = constants
const WRONG: [title: string, options: (registry: string) => string[], type: number, says: RegExp][] = [
  [
    'another path',
    (path) => ['--seqpacket', `--listen=${path}.2`],
    SOCK_SEQPACKET,
    /registry\.sock\.2 .*give its path with --registry/,
  ],
  [
    'a stream',
    (path) => [`--listen=${path}`],
    SOCK_STREAM,
    /registry\.sock .*ListenStream=: use ListenSequentialPacket=/,
  ],
  [
    'Accept=yes',
    (path) => ['--seqpacket', '--accept', `--listen=${path}`],
    SOCK_SEQPACKET,
    /registry\.sock .*Accept=no/,
  ],
]
for (const [title, options, type, says] of WRONG) {
  t.test(`${title}: the start ends at once, with a line that says what to change`, { skip }, async (t) => {
    const registry = newRegistryPath(t)
    const program = activate(t, registry, options(registry))
    using client = await knock(title === 'another path' ? `${registry}.2` : registry, type)
    const line = await program.stderr.find((text) => text.startsWith('memsvc: '))
    t.match(line, says)
    t.ok(client.fd)
    if (title !== 'Accept=yes') t.match(await program.ending, { code: 1 })
    t.notMatch(program.stderr.text, '"ready"')
  })
}

t.test('its path is gone: it is said once, to systemd too; who is connected is served', { skip }, async (t) => {
  const registry = newRegistryPath(t)
  const notices = new support.NotifyListener(t, `${registry}.notify`)
  const options = ['--seqpacket', `--listen=${registry}`, `--setenv=NOTIFY_SOCKET=${registry}.notify`]
  const program = activate(t, registry, options)
  const value = await support.openValueSoon(t, registry)
  await notices.find('READY=1')
  support.nodeFs.unlinkSync(registry)
  const line = await program.stderr.find((text) => text.includes('new clients cannot reach the registry'))
  t.match(JSON.parse(line ?? '{}'), { level: 50, reason: /systemctl restart memsvc\.socket/ })
  for (let status = ''; !status.includes('systemctl restart memsvc.socket'); ) {
    status = (await notices.next()).lines.find((text) => text.startsWith('STATUS=')) ?? ''
  }
  await value.set(42)
  t.equal(value.get(), 42)
})

t.test('its path was gone before it started: it ends, and says who can make it again', { skip }, async (t) => {
  const registry = newRegistryPath(t)
  const program = activate(t, registry)
  using client = await knock(registry, SOCK_SEQPACKET)
  support.nodeFs.unlinkSync(registry)
  const { code, stderr } = await program.ending
  t.equal(code, 1)
  t.match(stderr.split('\n').at(-1), /^memsvc: the socket .* is no longer at .*systemctl restart memsvc\.socket/)
  t.ok(client.fd)
})
