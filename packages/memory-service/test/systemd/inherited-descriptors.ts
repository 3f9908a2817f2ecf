/** What systemd hands over at the start, handed over by this test. */

import { leakChecked, newRegistryPath, Program, watchdog } from '@memsvc/shared/test-support'
import * as native from 'memfd-native'
import t from 'tap'
import { nodeChildProcess, nodeEvents, nodeFs, nodeNet, nodeUrl } from '../../test-support/index.ts'

const FIXTURE = nodeUrl.fileURLToPath(new URL('../../test-support/fixtures/show-inherited.js', import.meta.url))

watchdog(t)
leakChecked(t)

interface Shown {
  listener: number | null
  ignored: string | null
  stored: { name: string; inode: number }[]
  open: number[]
  closeOnExec: boolean
  variables: string[]
}

/** @throws Error with what it said, when it failed */
async function handOver(fds: readonly native.OwnedFd[], env: NodeJS.ProcessEnv, registry = '/nowhere'): Promise<Shown> {
  const stdio = ['ignore' as const, 'pipe' as const, 'pipe' as const, ...fds.map(({ fd }) => fd)]
  // By way of env(1), which tap adds nothing to.
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const child: nodeChildProcess.ChildProcess = nodeChildProcess.spawn(
    'env',
    ['-i', ...variables, process.execPath, FIXTURE, registry],
    { stdio },
  )
  const { code, stdout, stderr } = await new Program(child).ending
  if (code !== 0) throw new Error(stderr)
  return JSON.parse(stdout)
}

/** The fixture takes itself for process 42. */
const FOR_US = { LISTEN_PID: '42' }
const inode = (fd: native.OwnedFd): number => native.fstat(fd).ino

function listenAt(path: string, type: number = native.constants.SOCK_SEQPACKET): native.OwnedFd {
  const listener = native.socket(type)
  native.bind(listener, path)
  if (type !== native.constants.SOCK_DGRAM) native.listen(listener)
  return listener
}

t.test('the socket that listens at the registry’s path is the listener, whatever its name', async (t) => {
  const registry = newRegistryPath(t)
  using listener = listenAt(registry)
  for (const names of [{ LISTEN_FDNAMES: 'memsvc' }, { LISTEN_FDNAMES: 'memsvc.socket' }, {}]) {
    const shown = await handOver([listener], { ...FOR_US, LISTEN_FDS: '1', ...names }, registry)
    t.match(shown, { listener: inode(listener), stored: [], open: [inode(listener)] })
  }
})

t.test('the path may be written differently, or lead there by a link', async (t) => {
  const registry = newRegistryPath(t)
  using listener = listenAt(registry)
  const link = newRegistryPath(t)
  nodeFs.symlinkSync(registry, link)
  for (const path of [link, registry.replace(/\/([^/]*)$/, '/./$1')]) {
    t.match(await handOver([listener], { ...FOR_US, LISTEN_FDS: '1' }, path), { listener: inode(listener) })
  }
})

t.test('a descriptor that is not a socket was stored, under its name', async (t) => {
  const registry = newRegistryPath(t)
  using region = native.memfdCreate('region')
  using listener = listenAt(registry)
  const variables = { ...FOR_US, LISTEN_FDS: '2', LISTEN_FDNAMES: 'Name@7:memsvc' }
  const shown = await handOver([region, listener], variables, registry)
  t.match(shown, { listener: inode(listener), stored: [{ name: 'Name@7', inode: inode(region) }] })
})

t.test('descriptors are CLOEXEC and the variables are gone, so no child gets either', async (t) => {
  const registry = newRegistryPath(t)
  using listener = listenAt(registry)
  const variables = { ...FOR_US, LISTEN_FDS: '1', LISTEN_FDNAMES: 'memsvc', LISTEN_PIDFDID: '7' }
  t.match(await handOver([listener], variables, registry), { closeOnExec: true, variables: [] })
})

/** What it says when it fails. */
function complaint(handing: Promise<Shown>): Promise<string> {
  return handing.then(
    () => 'it did not fail',
    (error: Error) => error.message,
  )
}

interface Wrong {
  readonly title: string
  readonly make: (registry: string) => native.OwnedFd[]
  readonly says: readonly (string | RegExp)[]
}

const WRONG: readonly Wrong[] = [
  {
    title: 'another path',
    make: (registry) => [listenAt(`${registry}.other`)],
    says: [
      'registry.sock.other (descriptor 3, FileDescriptorName=one)',
      /ListenSequentialPacket=\S+registry\.sock, or/,
    ],
  },
  {
    title: 'a stream',
    make: (registry) => [listenAt(registry, native.constants.SOCK_STREAM)],
    says: [/registry\.sock \(descriptor 3/, 'made by ListenStream=: use ListenSequentialPacket='],
  },
  {
    title: 'datagrams',
    make: (registry) => [listenAt(registry, native.constants.SOCK_DGRAM)],
    says: ['made by ListenDatagram=: use ListenSequentialPacket='],
  },
  {
    title: 'an abstract name',
    make: () => [listenAt(`\0memsvc-test-${process.pid}`)],
    says: [/@memsvc-test-\d+ \(descriptor 3/, 'not at the registry’s path'],
  },
  {
    title: 'a socket that is bound and does not listen',
    make: (registry) => {
      const bound = native.socket(native.constants.SOCK_SEQPACKET)
      native.bind(bound, registry)
      return [bound]
    },
    says: ['it does not listen', 'Accept=no'],
  },
  {
    title: 'a connection that was accepted',
    make: (registry) => {
      using listener = listenAt(registry)
      const client = native.socket(native.constants.SOCK_SEQPACKET)
      native.connect(client, registry)
      return [native.accept(listener) as native.OwnedFd, client]
    },
    says: [/registry\.sock \(descriptor 3[^;]*Accept=no/, /a socket without a path \(descriptor 4/],
  },
  {
    title: 'an end of a pair',
    make: () => native.socketpair(native.constants.SOCK_SEQPACKET),
    says: ['a socket without a path (descriptor 3, FileDescriptorName=one)', 'Accept=no'],
  },
  {
    title: 'a second one',
    make: (registry) => [listenAt(`${registry}.second`), listenAt(registry)],
    says: [/registry\.sock\.second \(descriptor 3, FileDescriptorName=one\): not at the registry/],
  },
  {
    title: 'a fifo',
    make: () => native.pipe(),
    says: ['descriptor 3 (FileDescriptorName=one) is a fifo'],
  },
]

for (const { title, make, says } of WRONG) {
  t.test(`${title} ends the start, with the path of each and what to change`, async (t) => {
    const registry = newRegistryPath(t)
    const fds = make(registry)
    const variables = { ...FOR_US, LISTEN_FDS: String(fds.length), LISTEN_FDNAMES: 'one:two' }
    const said = await complaint(handOver(fds, variables, registry))
    for (const words of [...says, 'ERR_ILLEGAL_STATE']) t.match(said, words)
    for (const fd of fds) fd.close()
  })
}

t.test('an internet socket ends the start', async (t) => {
  const server = nodeNet.createServer().listen(0, '127.0.0.1')
  await nodeEvents.once(server, 'listening')
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle
  using inherited = native.dup(fd)
  const handing = handOver([inherited], { ...FOR_US, LISTEN_FDS: '1' })
  t.match(await complaint(handing), /a socket without a path \(descriptor 3\): not a Unix socket \(address family 2\)/)
  server.close()
  await nodeEvents.once(server, 'close')
})

const BAD_COUNTS: [count: string, words: RegExp][] = [
  ['many', /LISTEN_FDS must be a number of descriptors, and is "many"/],
  ['-1', /must be a number of descriptors/],
  ['1e9', /must be a number of descriptors/],
  ['99999999999', /must be a number of descriptors/],
  ['', /must be a number of descriptors/],
  ['1000', /LISTEN_FDS is 1000, but descriptor \d+ is not open/],
]
for (const [count, words] of BAD_COUNTS) {
  t.test(`LISTEN_FDS=${count} ends the start, and says so`, async (t) => {
    const registry = newRegistryPath(t)
    using listener = listenAt(registry)
    t.match(await complaint(handOver([listener], { ...FOR_US, LISTEN_FDS: count }, registry)), words)
  })
}

const others: [string, NodeJS.ProcessEnv, RegExp | null][] = [
  ['for another process', { LISTEN_PID: '43', LISTEN_FDS: '1' }, /meant for process 43, but this is process 42/],
  ['for nobody', { LISTEN_FDS: '1' }, /no LISTEN_PID/],
  ['for no process', { LISTEN_PID: '0x2a', LISTEN_FDS: '1' }, /process 0x2a/],
  ['no descriptors', { LISTEN_PID: '42', LISTEN_FDS: '0' }, null],
  ['no descriptors for another process', { LISTEN_PID: '43', LISTEN_FDS: '0' }, null],
  ['no descriptors for nobody', { LISTEN_FDS: '0' }, null],
  ['nothing at all', {}, null],
]
for (const [name, env, ignored] of others) {
  t.test(`${name}: nothing is taken, and nothing closed`, async (t) => {
    using bystander = native.socket(native.constants.SOCK_SEQPACKET)
    const shown = await handOver([bystander], env)
    t.match(shown, { listener: null, stored: [], open: [inode(bystander)], variables: [] })
    if (ignored === null) t.equal(shown.ignored, null)
    else t.match(shown.ignored, ignored)
  })
}
