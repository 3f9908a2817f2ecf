import t from 'tap'
import * as api from '../src/index.ts'
import * as support from '../test-support/index.ts'

support.leakChecked(t)
const { SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM } = api.constants
const TYPES = { SOCK_SEQPACKET, SOCK_STREAM }
const LONGEST = 107

function listenAt(path: string, type: number = SOCK_SEQPACKET, backlog?: number): api.OwnedFd {
  const listener = api.socket(type)
  api.bind(listener, path)
  api.listen(listener, backlog)
  return listener
}

function connectTo(path: string, type: number = SOCK_SEQPACKET): api.OwnedFd {
  const client = api.socket(type)
  try {
    api.connect(client, path)
  } catch (error) {
    client.close()
    throw error
  }
  return client
}

/** A path of exactly `length` bytes below a folder. */
const pathOfLength = (folder: string, length: number) =>
  support.nodePath.join(folder, 's'.repeat(length - folder.length - 1))

const openFlags = (fd: number) =>
  Number.parseInt(
    /^flags:\s+(\d+)$/m.exec(support.nodeFs.readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '',
    8,
  )
const BIRTH_FLAGS = 0o2000000 | api.constants.O_NONBLOCK

for (const [name, type] of Object.entries(TYPES)) {
  t.test(`${name}: bind, listen, connect, accept, and both ends talk`, async (t) => {
    const path = support.nodePath.join(support.tempFolder(t), 'socket')
    using listener = listenAt(path, type)
    t.equal(api.accept(listener), null, 'nobody yet')
    using client = connectTo(path, type)
    const server = api.accept(listener) as api.OwnedFd
    t.equal(api.accept(listener), null)
    api.sendmsg(client, Buffer.from('up'))
    api.sendmsg(server, Buffer.from('down'))
    t.equal(api.recvmsg(server, 10).data.toString(), 'up')
    t.equal(api.recvmsg(client, 10).data.toString(), 'down')
    server.close()
  })
}

t.test('every socket is born non-blocking and CLOEXEC', async (t) => {
  const path = support.nodePath.join(support.tempFolder(t), 'socket')
  using listener = listenAt(path)
  using client = connectTo(path)
  const server = api.accept(listener) as api.OwnedFd
  support.withPair((a, b) => {
    for (const { fd } of [listener, client, server, a, b]) t.equal(openFlags(fd) & BIRTH_FLAGS, BIRTH_FLAGS)
  })
  server.close()
})

t.test('a path of 107 bytes is the longest, of 108 the error names the limit', async (t) => {
  const folder = support.tempFolder(t)
  const longest = pathOfLength(folder, LONGEST)
  using listener = listenAt(longest)
  using client = connectTo(longest)
  t.notOk(client.isClosed || listener.isClosed)
  using other = api.socket(SOCK_SEQPACKET)
  for (const call of [api.bind, api.connect]) {
    t.throws(() => call(other, pathOfLength(folder, LONGEST + 1)), {
      name: 'SyscallError',
      code: 'ENAMETOOLONG',
      syscall: call.name,
      message: /at most 107 bytes.* has 108/,
    })
  }
})

t.test('the length of a path is counted in bytes of UTF-8', async (t) => {
  using fd = api.socket(SOCK_SEQPACKET)
  t.equal(
    support.codeOf(() => api.bind(fd, `/${'ü'.repeat(54)}`)),
    'ENAMETOOLONG',
  )
})

t.test('a path is taken byte by byte, not cut at a NUL', async (t) => {
  using fd = api.socket(SOCK_SEQPACKET)
  t.equal(
    support.codeOf(() => api.bind(fd, `${support.tempFolder(t)}/a\0b`)),
    'EINVAL',
  )
  t.equal(
    support.codeOf(() => api.bind(fd, '')),
    'EINVAL',
  )
})

t.test('a name of the abstract namespace has no file and ends with its socket', async (t) => {
  const name = `\0memfd-native-test-${process.pid}`
  const listener = listenAt(name)
  connectTo(name).close()
  listener.close()
  t.equal(
    support.codeOf(() => connectTo(name)),
    'ECONNREFUSED',
  )
})

t.test('the socket file gets the mode that fchmod gave the socket before bind', async (t) => {
  const path = support.nodePath.join(support.tempFolder(t), 'socket')
  const umask = process.umask(0)
  using listener = api.socket(SOCK_SEQPACKET)
  api.fchmod(listener, 0o600)
  api.bind(listener, path)
  process.umask(umask)
  t.equal(support.nodeFs.statSync(path).mode & 0o777, 0o600)
})

t.test('bind over anything that exists is EADDRINUSE, a dangling link too', async (t) => {
  const folder = support.tempFolder(t)
  support.nodeFs.writeFileSync(support.nodePath.join(folder, 'file'), '')
  using fd = api.socket(SOCK_SEQPACKET)
  t.equal(
    support.codeOf(() => api.bind(fd, support.nodePath.join(folder, 'file'))),
    'EADDRINUSE',
  )
  support.nodeFs.symlinkSync('/nowhere', support.nodePath.join(folder, 'link'))
  t.equal(
    support.codeOf(() => api.bind(fd, support.nodePath.join(folder, 'link'))),
    'EADDRINUSE',
  )
})

t.test('connect says why not', async (t) => {
  const folder = support.tempFolder(t)
  support.nodeFs.writeFileSync(support.nodePath.join(folder, 'file'), '')
  t.throws(() => connectTo(support.nodePath.join(folder, 'nothing')), {
    code: 'ENOENT',
    syscall: 'connect',
    message: /nothing/,
  })
  t.equal(
    support.codeOf(() => connectTo(support.nodePath.join(folder, 'file'))),
    'ECONNREFUSED',
  )
  using bound = api.socket(SOCK_SEQPACKET)
  api.bind(bound, support.nodePath.join(folder, 'not-listening'))
  t.equal(
    support.codeOf(() => connectTo(support.nodePath.join(folder, 'not-listening'))),
    'ECONNREFUSED',
  )
  using listener = listenAt(support.nodePath.join(folder, 'stream'), SOCK_STREAM)
  t.equal(
    support.codeOf(() => connectTo(support.nodePath.join(folder, 'stream'), SOCK_SEQPACKET)),
    'EPROTOTYPE',
  )
  t.notOk(listener.isClosed)
})

t.test('a full backlog makes connect EAGAIN', async (t) => {
  const path = support.nodePath.join(support.tempFolder(t), 'socket')
  using _listener = listenAt(path, SOCK_SEQPACKET, 2)
  const waiting: api.OwnedFd[] = []
  const code = support.codeOf(() => {
    for (;;) waiting.push(connectTo(path))
  })
  t.equal(code, 'EAGAIN')
  t.equal(waiting.length, 3)
  for (const fd of waiting) fd.close()
})

t.test('the socket file stays when the listener closes, and refuses', async (t) => {
  const path = support.nodePath.join(support.tempFolder(t), 'socket')
  listenAt(path).close()
  t.ok(support.nodeFs.existsSync(path))
  t.equal(
    support.codeOf(() => connectTo(path)),
    'ECONNREFUSED',
  )
  support.nodeFs.unlinkSync(path)
  t.equal(
    support.codeOf(() => connectTo(path)),
    'ENOENT',
  )
})

t.test('accepted sockets have the listener its options', async (t) => {
  const path = support.nodePath.join(support.tempFolder(t), 'socket')
  using listener = listenAt(path)
  api.setPassCredentials(listener, true)
  const refuses = api.setPassRights(listener, false)
  using client = connectTo(path)
  using memfd = support.sizedMemfd()
  t.equal(
    support.codeOf(() => api.sendmsg(client, Buffer.from('x'), [memfd])),
    refuses ? 'EPERM' : 'ok',
    'even before accept',
  )
  api.sendmsg(client, Buffer.from('y'))
  const server = api.accept(listener) as api.OwnedFd
  const { credentials, fds } = api.recvmsg(server, 10)
  t.equal(credentials?.pid, process.pid)
  for (const fd of fds) fd.close()
  server.close()
})

t.test('the peer of a pair is this process', async (t) => {
  support.withPair((a) => {
    t.same(api.getPeerCredentials(a), { pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() })
  })
})

t.test('the peer of a connection is the process that connected, and its pidfd ends with it', async (t) => {
  const path = support.nodePath.join(support.tempFolder(t), 'socket')
  using listener = listenAt(path)
  const child = support.nodeChildProcess.spawn(process.execPath, [support.fixturePath('connects-and-waits'), path], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await support.nodeEvents.once(child.stdout, 'data')
  const server = api.accept(listener) as api.OwnedFd
  t.equal(api.getPeerCredentials(server).pid, child.pid)
  const pidfd = api.getPeerPidfd(server)
  if (pidfd !== null) {
    const pidOf = () =>
      /^Pid:\s+(-?\d+)$/m.exec(support.nodeFs.readFileSync(`/proc/self/fdinfo/${pidfd.fd}`, 'utf8'))?.[1]
    t.equal(pidOf(), String(child.pid))
    t.ok(openFlags(pidfd.fd) & 0o2000000)
    child.stdin.end()
    await support.nodeEvents.once(child, 'close')
    t.equal(pidOf(), '-1', 'gone')
    pidfd.close()
  }
  child.stdin.end()
  server.close()
})

t.test('the peer has the groups of this process', async (t) => {
  support.withPair((a) => {
    const supplementary =
      /^Groups:[ \t]*(.*?)[ \t]*$/m.exec(support.nodeFs.readFileSync('/proc/self/status', 'utf8'))?.[1] ?? ''
    t.same(api.getPeerGroups(a), supplementary === '' ? [] : supplementary.split(/\s+/).map(Number))
  })
})

t.test(
  'more groups than fit at first are all answered',
  { skip: process.getuid?.() !== 0 && 'needs root' },
  async (t) => {
    const { output } = support.runFixture('has-many-groups')
    t.same(
      JSON.parse(output),
      Array.from({ length: 50 }, (_, i) => 1000 + i),
    )
  },
)

t.test('unread bytes are reported until the peer has read all, or is gone', async (t) => {
  const [mine, peer] = api.socketpair(SOCK_SEQPACKET)
  t.equal(api.unreadBytes(mine), 0)
  using memfd = support.sizedMemfd()
  for (let i = 0; i < 3; i++) api.sendmsg(mine, Buffer.alloc(100), [memfd])
  t.ok(api.unreadBytes(mine) >= 300)
  for (let i = 0; i < 3; i++) {
    t.ok(api.unreadBytes(mine) > 0)
    for (const fd of api.recvmsg(peer, 100).fds) fd.close()
  }
  t.equal(api.unreadBytes(mine), 0)
  api.sendmsg(mine, Buffer.alloc(100))
  peer.close()
  t.equal(api.unreadBytes(mine), 0)
  mine.close()
  t.throws(() => api.unreadBytes(mine), { code: 'EBADF', syscall: 'ioctl' })
  t.throws(() => api.unreadBytes(memfd), { code: 'ENOTTY' })
})

t.test('after shutdown the peer reads what it was sent, and then the end', async (t) => {
  const [mine, peer] = api.socketpair(SOCK_SEQPACKET)
  api.sendmsg(mine, Buffer.from('last'))
  api.shutdown(mine, api.SHUT_RDWR)
  t.throws(() => api.sendmsg(mine, Buffer.from('more')), { code: 'EPIPE' })
  t.equal(api.recvmsg(peer, 10).data.toString(), 'last')
  t.equal(api.recvmsg(peer, 10).data.length, 0)
  t.throws(() => api.sendmsg(peer, Buffer.from('answer')), { code: 'EPIPE' })
  mine.close()
  t.throws(() => api.shutdown(mine, api.SHUT_RDWR), { code: 'EBADF', syscall: 'shutdown' })
  peer.close()
})

t.test('a listener that was inherited is adopted and accepts', async (t) => {
  const path = support.nodePath.join(support.tempFolder(t), 'socket')
  using listener = listenAt(path)
  using client = connectTo(path)
  const stdio = ['ignore', 'pipe', 'inherit', listener.fd] as const
  const { output } = support.runFixture('accepts-on-an-inherited-listener', [], [...stdio])
  t.equal(output, 'accepted, CLOEXEC')
  t.equal(api.recvmsg(client, 10).data.toString(), 'hello')
})

t.test('a socket of net and one of ours talk through a path', async (t) => {
  const path = support.nodePath.join(support.tempFolder(t), 'socket')
  const server = support.nodeNet.createServer((connection) => connection.end('from net')).listen(path)
  await support.nodeEvents.once(server, 'listening')
  using client = connectTo(path, SOCK_STREAM)
  const [connection] = await support.nodeEvents.once(server, 'connection')
  await support.nodeEvents.once(connection, 'finish')
  t.equal(api.recvmsg(client, 100).data.toString(), 'from net')
  client.close()
  server.close()
  await support.nodeEvents.once(server, 'close')

  using listener = listenAt(`${path}-ours`, SOCK_STREAM)
  const theirs = support.nodeNet.createConnection(`${path}-ours`)
  await support.nodeEvents.once(theirs, 'connect')
  const ours = api.accept(listener) as api.OwnedFd
  api.sendmsg(ours, Buffer.from('from us'))
  ours.close()
  t.equal(String((await support.nodeEvents.once(theirs, 'data'))[0]), 'from us')
  await support.nodeEvents.once(theirs, 'close')
})

t.test('a datagram socket sends to the one it is connected to', async (t) => {
  const path = support.nodePath.join(support.tempFolder(t), 'socket')
  using receiver = api.socket(SOCK_DGRAM)
  api.bind(receiver, path)
  using sender = connectTo(path, SOCK_DGRAM)
  api.sendmsg(sender, Buffer.from('READY=1'))
  t.equal(api.recvmsg(receiver, 100).data.toString(), 'READY=1')
})

t.test('a socket says what it is: its family, its type, and whether it listens', async (t) => {
  const { SO_DOMAIN, SO_TYPE, SO_ACCEPTCONN, AF_UNIX } = api.constants
  for (const type of [SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET]) {
    using unbound = api.socket(type)
    const kind = [SO_DOMAIN, SO_TYPE, SO_ACCEPTCONN].map((option) => api.getSocketOption(unbound, option))
    t.same(kind, [AF_UNIX, type, 0])
  }
  using listener = listenAt(support.nodePath.join(support.tempFolder(t), 'socket'), SOCK_SEQPACKET)
  t.equal(api.getSocketOption(listener, SO_ACCEPTCONN), 1)
  t.equal(
    support.codeOf(() => api.getSocketOption(listener, 9999)),
    'ENOPROTOOPT',
  )
})

t.test('a socket has the name that it was bound to, or none', async (t) => {
  const path = support.nodePath.join(support.tempFolder(t), 'socket')
  using listener = listenAt(path, SOCK_SEQPACKET)
  t.equal(api.getSocketName(listener), path)
  using client = connectTo(path, SOCK_SEQPACKET)
  t.equal(api.getSocketName(client), '')
  using server = api.accept(listener) as api.OwnedFd
  t.equal(api.getSocketName(server), path)
  using abstract = api.socket(SOCK_DGRAM)
  const name = `\0memfd-native\0${process.pid}`
  api.bind(abstract, name)
  t.equal(api.getSocketName(abstract), name)
  using long = api.socket(SOCK_DGRAM)
  const longest = support.nodePath.join(support.tempFolder(t), 'x').padEnd(107, 'x')
  api.bind(long, longest)
  t.equal(api.getSocketName(long), longest)
})

t.test('the buffers of a socket are as large as they were made', async (t) => {
  const { SO_SNDBUF, SO_RCVBUF, SO_PROTOCOL, SO_ERROR, SO_PASSCRED } = api.constants
  for (const type of [SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET]) {
    using socket = api.socket(type)
    for (const option of [SO_SNDBUF, SO_RCVBUF]) {
      api.setSocketOption(socket, option, 20_000)
      t.equal(api.getSocketOption(socket, option), 40_000, 'twice as much, for the kernel counts its own')
    }
    t.same([api.getSocketOption(socket, SO_PROTOCOL), api.getSocketOption(socket, SO_ERROR)], [0, 0])
    api.setSocketOption(socket, SO_PASSCRED, 1)
    t.equal(api.getSocketOption(socket, SO_PASSCRED), 1)
  }
  const queued = [2304, 1 << 17].map((bytes) => {
    const [a, b] = api.socketpair(SOCK_DGRAM)
    api.setSocketOption(a, SO_SNDBUF, bytes)
    let count = 0
    while (count < 10 && support.codeOf(() => api.sendmsg(a, Buffer.alloc(1000))) === 'ok') count += 1
    for (const end of [a, b]) end.close()
    return count
  })
  t.ok((queued[0] as number) < (queued[1] as number), `${queued} fit`)
})

t.test('an option may be negative, and what cannot be set is refused', async (t) => {
  const SO_PEEK_OFF = 42
  using socket = api.socket(SOCK_STREAM)
  t.equal(api.getSocketOption(socket, SO_PEEK_OFF), -1)
  api.setSocketOption(socket, SO_PEEK_OFF, 5)
  api.setSocketOption(socket, SO_PEEK_OFF, -1)
  t.equal(api.getSocketOption(socket, SO_PEEK_OFF), -1)
  for (const [option, value, code] of [
    [api.constants.SO_TYPE, 1, 'ENOPROTOOPT'],
    [api.constants.SO_SNDBUF, 2 ** 31, 'ERR_OUT_OF_RANGE'],
    [api.constants.SO_SNDBUF, 1.5, 'ERR_OUT_OF_RANGE'],
    [api.constants.SO_SNDBUF, '1', 'ERR_INVALID_ARG_TYPE'],
  ] as [number, number, string][]) {
    t.equal(
      support.codeOf(() => api.setSocketOption(socket, option, value)),
      code,
    )
  }
})

t.test('a datagram says who sent it, and is answered', async (t) => {
  const folder = support.tempFolder(t)
  const names = [support.nodePath.join(folder, 'a'), `\0memfd-native-b\0${process.pid}`] as const
  const [a, b] = names.map((name) => {
    const socket = api.socket(SOCK_DGRAM)
    api.bind(socket, name)
    return socket
  }) as [api.OwnedFd, api.OwnedFd]
  using nameless = api.socket(SOCK_DGRAM)
  api.setPassCredentials(b, true)
  using memfd = support.sizedMemfd()
  api.sendmsg(a, Buffer.from('from a'), [memfd], 0, names[1])
  const message = api.recvmsg(b, 100)
  const credentials = { pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() }
  t.match(message, { address: names[0], credentials, flags: 0 })
  t.same(message.fds.map(support.identity), [support.identity(memfd)])
  for (const fd of message.fds) fd.close()
  api.sendmsg(b, Buffer.from('answer'), [], 0, message.address)
  const answer = api.recvmsg(a, 100)
  t.match({ ...answer, data: answer.data.toString() }, { address: names[1], credentials: null, data: 'answer' })
  api.sendmsg(nameless, Buffer.from('x'), [], 0, names[0])
  t.equal(api.recvmsg(a, 100).address, '')
  for (const socket of [a, b]) socket.close()
})

t.test('a socket without a name has no address in a message either, and a connected peer has its own', async (t) => {
  const path = support.nodePath.join(support.tempFolder(t), 'socket')
  for (const type of [SOCK_STREAM, SOCK_SEQPACKET]) {
    using listener = listenAt(`${path}${type}`, type)
    using client = connectTo(`${path}${type}`, type)
    using server = api.accept(listener) as api.OwnedFd
    api.sendmsg(client, Buffer.from('x'))
    t.equal(api.recvmsg(server, 10).address, '')
    api.sendmsg(server, Buffer.from('x'))
    t.equal(api.recvmsg(client, 10).address, `${path}${type}`)
  }
})

t.test('a datagram to nobody is refused as a connection is', async (t) => {
  using socket = api.socket(SOCK_DGRAM)
  for (const [to, code] of [
    [support.nodePath.join(support.tempFolder(t), 'none'), 'ENOENT'],
    ['x'.repeat(108), 'ENAMETOOLONG'],
    ['a\0b', 'EINVAL'],
    [`\0nobody-${process.pid}`, 'ECONNREFUSED'],
    ['', 'ENOTCONN'],
    [1, 'ERR_INVALID_ARG_TYPE'],
  ] as [string, string][]) {
    t.equal(
      support.codeOf(() => api.sendmsg(socket, Buffer.from('x'), [], 0, to)),
      code,
      to,
    )
  }
})

const CALLS: Record<string, (fd: api.OwnedFd | number) => unknown> = {
  accept: api.accept,
  bind: (fd) => api.bind(fd, '/nowhere/socket'),
  connect: (fd) => api.connect(fd, '/nowhere/socket'),
  getPeerCredentials: api.getPeerCredentials,
  getPeerGroups: api.getPeerGroups,
  getPeerPidfd: api.getPeerPidfd,
  getSocketName: api.getSocketName,
  getSocketOption: (fd) => api.getSocketOption(fd, api.constants.SO_TYPE),
  listen: (fd) => api.listen(fd),
  recvmsg: (fd) => api.recvmsg(fd, 1),
  sendmsg: (fd) => api.sendmsg(fd, new Uint8Array(1)),
  setPassCredentials: (fd) => api.setPassCredentials(fd, true),
  setPassRights: (fd) => api.setPassRights(fd, true),
  setSocketOption: (fd) => api.setSocketOption(fd, api.constants.SO_SNDBUF, 10_000),
}
for (const [name, call] of Object.entries(CALLS)) {
  t.test(`${name}: a closed socket is EBADF, a file ENOTSOCK, anything else a TypeError`, async (t) => {
    using file = support.sizedMemfd()
    const closed = api.socket(SOCK_STREAM)
    closed.close()
    t.equal(
      support.codeOf(() => call(closed)),
      'EBADF',
    )
    t.equal(
      support.codeOf(() => call(file)),
      'ENOTSOCK',
    )
    t.equal(
      support.codeOf(() => call('3' as unknown as number)),
      'ERR_INVALID_ARG_TYPE',
    )
  })
}

t.test('a socket type that does not exist, or is no number, is refused', async (t) => {
  t.equal(
    support.codeOf(() => api.socketpair(99)),
    'EINVAL',
  )
  t.equal(
    support.codeOf(() => api.socket('stream' as unknown as number)),
    'ERR_INVALID_ARG_TYPE',
  )
})
