/** sendmsg and recvmsg with descriptors and credentials. A passed descriptor is known by its device and inode. */
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import * as api from '../src/index.ts'
import { codeOf, identity, leakChecked, runFixture, sizedMemfd, withPair } from '../test-support/index.ts'

leakChecked(t)
const { MSG_CTRUNC, MSG_PEEK, MSG_TRUNC, O_RDONLY, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM } = api.constants
const hello = Buffer.from('hello')

const closeAll = (fds: api.OwnedFd[]) => {
  for (const fd of fds) fd.close()
}
const openCount = () => readdirSync('/proc/self/fd').length
const isCloexec = (fd: number) => /^flags:\s+0?2\d{6}$/m.test(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))

for (const [name, type] of Object.entries({ SOCK_SEQPACKET, SOCK_STREAM, SOCK_DGRAM })) {
  t.test(`${name} carries bytes and a descriptor, which arrives CLOEXEC`, async (t) => {
    withPair((a, b) => {
      using memfd = sizedMemfd()
      t.equal(api.sendmsg(a, hello, [memfd]), 5)
      const message = api.recvmsg(b, 100)
      t.equal(message.data.toString(), 'hello')
      t.match(message, { flags: 0, credentials: null })
      t.same(message.fds.map(identity), [identity(memfd)])
      t.ok(isCloexec((message.fds[0] as api.OwnedFd).fd))
      t.notOk(memfd.isClosed, 'sending only borrows')
      closeAll(message.fds)
    }, type)
  })
}

for (const count of [0, 1, 2, 3, 252, 253]) {
  t.test(`${count} descriptors arrive, each in its place`, async (t) => {
    withPair((a, b) => {
      const sent = Array.from({ length: count }, () => sizedMemfd())
      api.sendmsg(a, hello, sent)
      const { fds, flags } = api.recvmsg(b, 100, count)
      t.equal(flags, 0)
      t.same(fds.map(identity), sent.map(identity))
      closeAll([...sent, ...fds])
    })
  })
}

t.test('254 descriptors are EINVAL and nothing is sent', async (t) => {
  withPair((a, b) => {
    using memfd = sizedMemfd()
    t.throws(() => api.sendmsg(a, hello, Array(254).fill(memfd)), { code: 'EINVAL', syscall: 'sendmsg' })
    t.equal(
      codeOf(() => api.recvmsg(b, 100)),
      'EAGAIN',
    )
  })
})

for (const type of [SOCK_SEQPACKET, SOCK_STREAM]) {
  t.test(`descriptors with no bytes are EINVAL on a socket of type ${type}`, async (t) => {
    withPair((a, b) => {
      using memfd = sizedMemfd()
      t.equal(
        codeOf(() => api.sendmsg(a, new Uint8Array(0), [memfd])),
        'EINVAL',
      )
      t.equal(
        codeOf(() => api.recvmsg(b, 100)),
        'EAGAIN',
      )
    }, type)
  })
}

t.test('a closed descriptor among those to send is EBADF and nothing is sent', async (t) => {
  withPair((a, b) => {
    using memfd = sizedMemfd()
    const closed = api.dup(memfd)
    closed.close()
    t.equal(
      codeOf(() => api.sendmsg(a, hello, [memfd, closed])),
      'EBADF',
    )
    t.equal(
      codeOf(() => api.recvmsg(b, 100)),
      'EAGAIN',
    )
  })
})

for (let maxFds = 0; maxFds <= 9; maxFds++) {
  for (const withCredentials of [false, true]) {
    const room = `room for ${maxFds}${withCredentials ? ' and credentials' : ''}`
    t.test(`of 10 descriptors, ${room}: exactly those arrive, cut is said, none leaks`, async (t) => {
      withPair((a, b) => {
        api.setPassCredentials(b, withCredentials)
        using memfd = sizedMemfd()
        api.sendmsg(a, hello, Array(10).fill(memfd))
        const before = openCount()
        const message = api.recvmsg(b, 100, maxFds)
        t.equal(message.fds.length, maxFds)
        t.equal(message.flags & MSG_CTRUNC, MSG_CTRUNC)
        t.equal(message.credentials !== null, withCredentials)
        t.equal(openCount(), before + maxFds)
        closeAll(message.fds)
      })
    })
  }
}

t.test('one descriptor more than there is room for does not slip in by padding', async (t) => {
  for (let maxFds = 0; maxFds <= 20; maxFds++) {
    withPair((a, b) => {
      using memfd = sizedMemfd()
      api.sendmsg(a, hello, Array(maxFds + 1).fill(memfd))
      const { fds, flags } = api.recvmsg(b, 100, maxFds)
      t.same([fds.length, flags & MSG_CTRUNC], [maxFds, MSG_CTRUNC])
      closeAll(fds)
    })
  }
})

t.test('a receiver whose descriptor table is full gets the bytes, what fits, and MSG_CTRUNC', async (t) => {
  const { output, errors } = runFixture('receives-with-a-full-table')
  t.equal(errors, '')
  t.same(JSON.parse(output), { data: 'hello', fds: 2, isCut: true })
})

t.test('a packet longer than the buffer is cut and says so; its descriptors still come', async (t) => {
  withPair((a, b) => {
    using memfd = sizedMemfd()
    api.sendmsg(a, hello, [memfd])
    const message = api.recvmsg(b, 2)
    t.equal(message.data.toString(), 'he')
    t.equal(message.flags & MSG_TRUNC, MSG_TRUNC)
    t.equal(message.fds.length, 1)
    closeAll(message.fds)
    t.equal(
      codeOf(() => api.recvmsg(b, 2)),
      'EAGAIN',
      'the rest is lost',
    )
  })
})

t.test('peeking leaves the message and gives descriptors of its own', async (t) => {
  withPair((a, b) => {
    using memfd = sizedMemfd()
    api.sendmsg(a, hello, [memfd])
    const peeked = api.recvmsg(b, 100, 1, MSG_PEEK)
    const received = api.recvmsg(b, 100, 1)
    t.same(peeked.fds.map(identity), received.fds.map(identity))
    t.not(peeked.fds[0]?.fd, received.fds[0]?.fd)
    closeAll([...peeked.fds, ...received.fds])
  })
})

t.test('packets keep their borders, a stream does not', async (t) => {
  for (const [type, expected] of [
    [SOCK_SEQPACKET, 'hello'],
    [SOCK_STREAM, 'hellohello'],
  ] as const) {
    withPair((a, b) => {
      api.sendmsg(a, hello)
      api.sendmsg(a, hello)
      t.equal(api.recvmsg(b, 100).data.toString(), expected)
    }, type)
  }
})

t.test('nothing to receive is EAGAIN, a full queue is EAGAIN, too long a packet EMSGSIZE', async (t) => {
  withPair((a, b) => {
    t.throws(() => api.recvmsg(b, 1), { name: 'SyscallError', code: 'EAGAIN', errno: -11, syscall: 'recvmsg' })
    t.equal(
      codeOf(() => api.sendmsg(a, Buffer.alloc(8 << 20))),
      'EMSGSIZE',
    )
    let sent = 0
    while (codeOf(() => api.sendmsg(a, hello)) === 'ok') sent++
    t.ok(sent > 0)
    t.throws(() => api.sendmsg(a, hello), { code: 'EAGAIN', syscall: 'sendmsg' })
  })
})

t.test('a peer that is gone is the end for a reader and EPIPE for a writer, and no signal', async (t) => {
  withPair((a, b) => {
    api.sendmsg(a, hello)
    a.close()
    t.equal(api.recvmsg(b, 100).data.toString(), 'hello', 'what it sent still comes')
    t.equal(api.recvmsg(b, 100).data.length, 0)
    t.equal(
      codeOf(() => api.sendmsg(b, hello)),
      'EPIPE',
    )
  })
})

t.test('a peer that left something unread is ECONNRESET, once', async (t) => {
  withPair((a, b) => {
    api.sendmsg(b, hello)
    a.close()
    t.equal(
      codeOf(() => api.recvmsg(b, 100)),
      'ECONNRESET',
    )
    t.equal(api.recvmsg(b, 100).data.length, 0)
  })
})

t.test('descriptors nobody received are closed with the socket', async (t) => {
  using memfd = sizedMemfd()
  withPair((a) => api.sendmsg(a, hello, [memfd, memfd]))
  t.pass('the leak check sees no more of them')
})

t.test('a descriptor that is passed outlives its sender', async (t) => {
  withPair((a, b) => {
    const memfd = sizedMemfd()
    const sent = identity(memfd)
    api.sendmsg(a, hello, [memfd])
    memfd.close()
    a.close()
    const { fds } = api.recvmsg(b, 100)
    t.same(fds.map(identity), [sent])
    closeAll(fds)
  })
})

t.test('a socket can be passed and goes on working', async (t) => {
  withPair((a, b) => {
    withPair((c, d) => {
      api.sendmsg(a, hello, [d])
      const [received] = api.recvmsg(b, 100).fds
      api.sendmsg(c, Buffer.from('through'))
      t.equal(api.recvmsg(received as api.OwnedFd, 100).data.toString(), 'through')
      received?.close()
    })
  })
})

t.test('credentials come from the kernel with each message, while asked for', async (t) => {
  withPair((a, b) => {
    api.setPassCredentials(b, true)
    api.sendmsg(a, hello)
    t.same(api.recvmsg(b, 100).credentials, { pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() })
    api.setPassCredentials(b, false)
    api.sendmsg(a, hello)
    t.equal(api.recvmsg(b, 100).credentials, null)
  })
})

t.test('credentials and 253 descriptors arrive together', async (t) => {
  withPair((a, b) => {
    api.setPassCredentials(b, true)
    using memfd = sizedMemfd()
    api.sendmsg(a, hello, Array(253).fill(memfd))
    const { fds, flags, credentials } = api.recvmsg(b, 100)
    t.same([fds.length, flags, credentials?.pid], [253, 0, process.pid])
    closeAll(fds)
  })
})

t.test('a socket that refuses rights makes sending a descriptor EPERM', async (t) => {
  withPair((a, b) => {
    if (!api.setPassRights(b, false)) return t.pass('before Linux 6.16 it cannot refuse')
    using memfd = sizedMemfd()
    t.equal(
      codeOf(() => api.sendmsg(a, hello, [memfd])),
      'EPERM',
    )
    t.equal(
      codeOf(() => api.sendmsg(a, hello)),
      'ok',
    )
    t.equal(
      codeOf(() => api.sendmsg(b, hello, [memfd])),
      'ok',
      'the other way is open',
    )
    closeAll(api.recvmsg(a, 100).fds)
    api.setPassRights(b, true)
    t.equal(
      codeOf(() => api.sendmsg(a, hello, [memfd])),
      'ok',
    )
  })
})

t.test('1 MiB goes through a stream piece by piece', async (t) => {
  withPair((a, b) => {
    const data = Buffer.alloc(1 << 20, 'abcdefg')
    const pieces: Buffer[] = []
    for (let sent = 0; sent < data.length; ) {
      sent += api.sendmsg(a, data.subarray(sent, sent + 65536))
      pieces.push(api.recvmsg(b, 100_000).data)
    }
    t.ok(Buffer.concat(pieces).equals(data))
  }, SOCK_STREAM)
})

t.test('on a blocking socket recvmsg waits for nothing with MSG_DONTWAIT', async (t) => {
  withPair((_, b) => {
    api.setNonBlocking(b, false)
    t.equal(
      codeOf(() => api.recvmsg(b, 1, 0, api.constants.MSG_DONTWAIT)),
      'EAGAIN',
    )
  })
})

const odd = (value: unknown) => value as never
const REFUSED: [string, (fd: api.OwnedFd) => unknown, string][] = [
  ['data that is a string', (fd) => api.sendmsg(fd, odd('text')), 'ERR_INVALID_ARG_TYPE'],
  ['data of another element type', (fd) => api.sendmsg(fd, odd(new Uint16Array(1))), 'ERR_INVALID_ARG_TYPE'],
  ['a descriptor that is a string', (fd) => api.sendmsg(fd, hello, [odd('3')]), 'ERR_INVALID_ARG_TYPE'],
  ['a descriptor that is null', (fd) => api.sendmsg(fd, hello, [odd(null)]), 'ERR_INVALID_ARG_TYPE'],
  ['a fractional descriptor', (fd) => api.sendmsg(fd, hello, [0.5]), 'ERR_OUT_OF_RANGE'],
  ['a size that is a string', (fd) => api.recvmsg(fd, odd('1')), 'ERR_INVALID_ARG_TYPE'],
  ['a negative size', (fd) => api.recvmsg(fd, -1), 'ERR_OUT_OF_RANGE'],
  ['room for 254', (fd) => api.recvmsg(fd, 1, 254), 'ERR_OUT_OF_RANGE'],
  ['room for -1', (fd) => api.recvmsg(fd, 1, -1), 'ERR_OUT_OF_RANGE'],
]
for (const [what, attempt, code] of REFUSED) {
  t.test(`${what} is ${code}`, async (t) => {
    withPair((a) =>
      t.equal(
        codeOf(() => attempt(a)),
        code,
      ),
    )
  })
}

t.test('2,000 messages with a fresh read-only descriptor each leave nothing behind', async (t) => {
  withPair((a, b) => {
    using memfd = sizedMemfd()
    for (let round = 0; round < 2000; round++) {
      using fresh = api.reopen(memfd, O_RDONLY)
      api.sendmsg(a, hello, [fresh])
      closeAll(api.recvmsg(b, 100, 1).fds)
    }
    t.pass('the leak check sees none')
  })
})
