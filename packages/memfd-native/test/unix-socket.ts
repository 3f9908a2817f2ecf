import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import {
  accept,
  bind,
  connect,
  constants,
  fchmod,
  getPeerCredentials,
  getPeerGroups,
  getPeerPidfd,
  getSocketName,
  getSocketOption,
  listen,
  type OwnedFd,
  recvmsg,
  SHUT_RDWR,
  sendmsg,
  setPassCredentials,
  setPassRights,
  shutdown,
  socket,
  socketpair,
  unreadBytes,
} from '../src/index.ts'
import { codeOf } from '../test-support/code-of.ts'
import { fixturePath, runFixture } from '../test-support/fixture.ts'
import { leakChecked } from '../test-support/leaks.ts'
import { sizedMemfd } from '../test-support/memfd.ts'
import { withPair } from '../test-support/sockets.ts'
import { tempFolder } from '../test-support/temp-folder.ts'

leakChecked(t)
const { SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM } = constants
const TYPES = { SOCK_SEQPACKET, SOCK_STREAM }
const LONGEST = 107

function listenAt(path: string, type: number = SOCK_SEQPACKET, backlog?: number): OwnedFd {
  const listener = socket(type)
  bind(listener, path)
  listen(listener, backlog)
  return listener
}

function connectTo(path: string, type: number = SOCK_SEQPACKET): OwnedFd {
  const client = socket(type)
  try {
    connect(client, path)
  } catch (error) {
    client.close()
    throw error
  }
  return client
}

/** A path of exactly `length` bytes below a folder. */
const pathOfLength = (folder: string, length: number) => join(folder, 's'.repeat(length - folder.length - 1))

const openFlags = (fd: number) =>
  Number.parseInt(/^flags:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '', 8)
const BIRTH_FLAGS = 0o2000000 | constants.O_NONBLOCK

for (const [name, type] of Object.entries(TYPES)) {
  t.test(`${name}: bind, listen, connect, accept, and both ends talk`, async (t) => {
    const path = join(tempFolder(t), 'socket')
    using listener = listenAt(path, type)
    t.equal(accept(listener), null, 'nobody yet')
    using client = connectTo(path, type)
    const server = accept(listener) as OwnedFd
    t.equal(accept(listener), null)
    sendmsg(client, Buffer.from('up'))
    sendmsg(server, Buffer.from('down'))
    t.equal(recvmsg(server, 10).data.toString(), 'up')
    t.equal(recvmsg(client, 10).data.toString(), 'down')
    server.close()
  })
}

t.test('every socket is born non-blocking and CLOEXEC', async (t) => {
  const path = join(tempFolder(t), 'socket')
  using listener = listenAt(path)
  using client = connectTo(path)
  const server = accept(listener) as OwnedFd
  withPair((a, b) => {
    for (const { fd } of [listener, client, server, a, b]) t.equal(openFlags(fd) & BIRTH_FLAGS, BIRTH_FLAGS)
  })
  server.close()
})

t.test('a path of 107 bytes is the longest, of 108 the error names the limit', async (t) => {
  const folder = tempFolder(t)
  const longest = pathOfLength(folder, LONGEST)
  using listener = listenAt(longest)
  using client = connectTo(longest)
  t.notOk(client.isClosed || listener.isClosed)
  using other = socket(SOCK_SEQPACKET)
  for (const call of [bind, connect]) {
    t.throws(() => call(other, pathOfLength(folder, LONGEST + 1)), {
      name: 'SyscallError',
      code: 'ENAMETOOLONG',
      syscall: call.name,
      message: /108 bytes.*107/,
    })
  }
})

t.test('the length of a path is counted in bytes of UTF-8', async (t) => {
  using fd = socket(SOCK_SEQPACKET)
  t.equal(
    codeOf(() => bind(fd, `/${'ü'.repeat(54)}`)),
    'ENAMETOOLONG',
  )
})

t.test('a path is taken byte by byte, not cut at a NUL', async (t) => {
  using fd = socket(SOCK_SEQPACKET)
  t.equal(
    codeOf(() => bind(fd, `${tempFolder(t)}/a\0b`)),
    'EINVAL',
  )
  t.equal(
    codeOf(() => bind(fd, '')),
    'EINVAL',
  )
})

t.test('a name of the abstract namespace has no file and ends with its socket', async (t) => {
  const name = `\0memfd-native-test-${process.pid}`
  const listener = listenAt(name)
  connectTo(name).close()
  listener.close()
  t.equal(
    codeOf(() => connectTo(name)),
    'ECONNREFUSED',
  )
})

t.test('the socket file gets the mode that fchmod gave the socket before bind', async (t) => {
  const path = join(tempFolder(t), 'socket')
  const umask = process.umask(0)
  using listener = socket(SOCK_SEQPACKET)
  fchmod(listener, 0o600)
  bind(listener, path)
  process.umask(umask)
  t.equal(statSync(path).mode & 0o777, 0o600)
})

t.test('bind over anything that exists is EADDRINUSE, a dangling link too', async (t) => {
  const folder = tempFolder(t)
  writeFileSync(join(folder, 'file'), '')
  using fd = socket(SOCK_SEQPACKET)
  t.equal(
    codeOf(() => bind(fd, join(folder, 'file'))),
    'EADDRINUSE',
  )
  symlinkSync('/nowhere', join(folder, 'link'))
  t.equal(
    codeOf(() => bind(fd, join(folder, 'link'))),
    'EADDRINUSE',
  )
})

t.test('connect says why not', async (t) => {
  const folder = tempFolder(t)
  writeFileSync(join(folder, 'file'), '')
  t.throws(() => connectTo(join(folder, 'nothing')), { code: 'ENOENT', syscall: 'connect', message: /nothing/ })
  t.equal(
    codeOf(() => connectTo(join(folder, 'file'))),
    'ECONNREFUSED',
  )
  using bound = socket(SOCK_SEQPACKET)
  bind(bound, join(folder, 'not-listening'))
  t.equal(
    codeOf(() => connectTo(join(folder, 'not-listening'))),
    'ECONNREFUSED',
  )
  using listener = listenAt(join(folder, 'stream'), SOCK_STREAM)
  t.equal(
    codeOf(() => connectTo(join(folder, 'stream'), SOCK_SEQPACKET)),
    'EPROTOTYPE',
  )
  t.notOk(listener.isClosed)
})

t.test('a full backlog makes connect EAGAIN', async (t) => {
  const path = join(tempFolder(t), 'socket')
  using _listener = listenAt(path, SOCK_SEQPACKET, 2)
  const waiting: OwnedFd[] = []
  const code = codeOf(() => {
    for (;;) waiting.push(connectTo(path))
  })
  t.equal(code, 'EAGAIN')
  t.equal(waiting.length, 3)
  for (const fd of waiting) fd.close()
})

t.test('the socket file stays when the listener closes, and refuses', async (t) => {
  const path = join(tempFolder(t), 'socket')
  listenAt(path).close()
  t.ok(existsSync(path))
  t.equal(
    codeOf(() => connectTo(path)),
    'ECONNREFUSED',
  )
  unlinkSync(path)
  t.equal(
    codeOf(() => connectTo(path)),
    'ENOENT',
  )
})

t.test('accepted sockets have the listener its options', async (t) => {
  const path = join(tempFolder(t), 'socket')
  using listener = listenAt(path)
  setPassCredentials(listener, true)
  const refuses = setPassRights(listener, false)
  using client = connectTo(path)
  using memfd = sizedMemfd()
  t.equal(
    codeOf(() => sendmsg(client, Buffer.from('x'), [memfd])),
    refuses ? 'EPERM' : 'ok',
    'even before accept',
  )
  sendmsg(client, Buffer.from('y'))
  const server = accept(listener) as OwnedFd
  const { credentials, fds } = recvmsg(server, 10)
  t.equal(credentials?.pid, process.pid)
  for (const fd of fds) fd.close()
  server.close()
})

t.test('the peer of a pair is this process', async (t) => {
  withPair((a) => {
    t.same(getPeerCredentials(a), { pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() })
  })
})

t.test('the peer of a connection is the process that connected, and its pidfd ends with it', async (t) => {
  const path = join(tempFolder(t), 'socket')
  using listener = listenAt(path)
  const child = spawn(process.execPath, [fixturePath('connects-and-waits'), path], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  const server = accept(listener) as OwnedFd
  t.equal(getPeerCredentials(server).pid, child.pid)
  const pidfd = getPeerPidfd(server)
  if (pidfd !== null) {
    const pidOf = () => /^Pid:\s+(-?\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${pidfd.fd}`, 'utf8'))?.[1]
    t.equal(pidOf(), String(child.pid))
    t.ok(openFlags(pidfd.fd) & 0o2000000)
    child.stdin.end()
    await once(child, 'close')
    t.equal(pidOf(), '-1', 'gone')
    pidfd.close()
  }
  child.stdin.end()
  server.close()
})

t.test('the peer has the groups of this process', async (t) => {
  withPair((a) => {
    const supplementary = /^Groups:[ \t]*(.*?)[ \t]*$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? ''
    t.same(getPeerGroups(a), supplementary === '' ? [] : supplementary.split(/\s+/).map(Number))
  })
})

t.test(
  'more groups than fit at first are all answered',
  { skip: process.getuid?.() !== 0 && 'needs root' },
  async (t) => {
    const { output } = runFixture('has-many-groups')
    t.same(
      JSON.parse(output),
      Array.from({ length: 50 }, (_, i) => 1000 + i),
    )
  },
)

t.test('what the peer has not read is told until it has read all, or is gone', async (t) => {
  const [mine, peer] = socketpair(SOCK_SEQPACKET)
  t.equal(unreadBytes(mine), 0)
  using memfd = sizedMemfd()
  for (let i = 0; i < 3; i++) sendmsg(mine, Buffer.alloc(100), [memfd])
  t.ok(unreadBytes(mine) >= 300)
  for (let i = 0; i < 3; i++) {
    t.ok(unreadBytes(mine) > 0)
    for (const fd of recvmsg(peer, 100).fds) fd.close()
  }
  t.equal(unreadBytes(mine), 0)
  sendmsg(mine, Buffer.alloc(100))
  peer.close()
  t.equal(unreadBytes(mine), 0)
  mine.close()
  t.throws(() => unreadBytes(mine), { code: 'EBADF', syscall: 'ioctl' })
  t.throws(() => unreadBytes(memfd), { code: 'ENOTTY' })
})

t.test('after shutdown the peer reads what it was sent, and then the end', async (t) => {
  const [mine, peer] = socketpair(SOCK_SEQPACKET)
  sendmsg(mine, Buffer.from('last'))
  shutdown(mine, SHUT_RDWR)
  t.throws(() => sendmsg(mine, Buffer.from('more')), { code: 'EPIPE' })
  t.equal(recvmsg(peer, 10).data.toString(), 'last')
  t.equal(recvmsg(peer, 10).data.length, 0)
  t.throws(() => sendmsg(peer, Buffer.from('answer')), { code: 'EPIPE' })
  mine.close()
  t.throws(() => shutdown(mine, SHUT_RDWR), { code: 'EBADF', syscall: 'shutdown' })
  peer.close()
})

t.test('a listener that was inherited is adopted and accepts', async (t) => {
  const path = join(tempFolder(t), 'socket')
  using listener = listenAt(path)
  using client = connectTo(path)
  const stdio = ['ignore', 'pipe', 'inherit', listener.fd] as const
  const { output } = runFixture('accepts-on-an-inherited-listener', [], [...stdio])
  t.equal(output, 'accepted, CLOEXEC')
  t.equal(recvmsg(client, 10).data.toString(), 'hello')
})

t.test('a socket of net and one of ours talk through a path', async (t) => {
  const path = join(tempFolder(t), 'socket')
  const server = createServer((connection) => connection.end('from net')).listen(path)
  await once(server, 'listening')
  using client = connectTo(path, SOCK_STREAM)
  const [connection] = await once(server, 'connection')
  await once(connection, 'finish')
  t.equal(recvmsg(client, 100).data.toString(), 'from net')
  client.close()
  server.close()
  await once(server, 'close')

  using listener = listenAt(`${path}-ours`, SOCK_STREAM)
  const theirs = createConnection(`${path}-ours`)
  await once(theirs, 'connect')
  const ours = accept(listener) as OwnedFd
  sendmsg(ours, Buffer.from('from us'))
  ours.close()
  t.equal(String((await once(theirs, 'data'))[0]), 'from us')
  await once(theirs, 'close')
})

t.test('a datagram socket sends to the one it is connected to', async (t) => {
  const path = join(tempFolder(t), 'socket')
  using receiver = socket(SOCK_DGRAM)
  bind(receiver, path)
  using sender = connectTo(path, SOCK_DGRAM)
  sendmsg(sender, Buffer.from('READY=1'))
  t.equal(recvmsg(receiver, 100).data.toString(), 'READY=1')
})

t.test('a socket says what it is: its family, its type, and whether it listens', async (t) => {
  const { SO_DOMAIN, SO_TYPE, SO_ACCEPTCONN, AF_UNIX } = constants
  for (const type of [SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET]) {
    using unbound = socket(type)
    const kind = [SO_DOMAIN, SO_TYPE, SO_ACCEPTCONN].map((option) => getSocketOption(unbound, option))
    t.same(kind, [AF_UNIX, type, 0])
  }
  using listener = listenAt(join(tempFolder(t), 'socket'), SOCK_SEQPACKET)
  t.equal(getSocketOption(listener, SO_ACCEPTCONN), 1)
  t.equal(
    codeOf(() => getSocketOption(listener, 9999)),
    'ENOPROTOOPT',
  )
})

t.test('a socket has the name that it was bound to, or none', async (t) => {
  const path = join(tempFolder(t), 'socket')
  using listener = listenAt(path, SOCK_SEQPACKET)
  t.equal(getSocketName(listener), path)
  using client = connectTo(path, SOCK_SEQPACKET)
  t.equal(getSocketName(client), '')
  using server = accept(listener) as OwnedFd
  t.equal(getSocketName(server), path)
  using abstract = socket(SOCK_DGRAM)
  const name = `\0memfd-native\0${process.pid}`
  bind(abstract, name)
  t.equal(getSocketName(abstract), name)
  using long = socket(SOCK_DGRAM)
  const longest = join(tempFolder(t), 'x').padEnd(107, 'x')
  bind(long, longest)
  t.equal(getSocketName(long), longest)
})

const CALLS: Record<string, (fd: OwnedFd | number) => unknown> = {
  accept,
  bind: (fd) => bind(fd, '/nowhere/socket'),
  connect: (fd) => connect(fd, '/nowhere/socket'),
  getPeerCredentials,
  getPeerGroups,
  getPeerPidfd,
  getSocketName,
  getSocketOption: (fd) => getSocketOption(fd, constants.SO_TYPE),
  listen: (fd) => listen(fd),
  recvmsg: (fd) => recvmsg(fd, 1),
  sendmsg: (fd) => sendmsg(fd, new Uint8Array(1)),
  setPassCredentials: (fd) => setPassCredentials(fd, true),
  setPassRights: (fd) => setPassRights(fd, true),
}
for (const [name, call] of Object.entries(CALLS)) {
  t.test(`${name}: a closed socket is EBADF, a file ENOTSOCK, anything else a TypeError`, async (t) => {
    using file = sizedMemfd()
    const closed = socket(SOCK_STREAM)
    closed.close()
    t.equal(
      codeOf(() => call(closed)),
      'EBADF',
    )
    t.equal(
      codeOf(() => call(file)),
      'ENOTSOCK',
    )
    t.equal(
      codeOf(() => call('3' as unknown as number)),
      'ERR_INVALID_ARG_TYPE',
    )
  })
}

t.test('a socket type that does not exist, or is no number, is refused', async (t) => {
  t.equal(
    codeOf(() => socketpair(99)),
    'EINVAL',
  )
  t.equal(
    codeOf(() => socket('stream' as unknown as number)),
    'ERR_INVALID_ARG_TYPE',
  )
})
