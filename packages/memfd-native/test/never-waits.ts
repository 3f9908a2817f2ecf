/**
 * O_NONBLOCK belongs to a socket, not to a descriptor of it: a stranger who holds a duplicate can clear it. Still nothing here
 * may ever wait, or the thread would stand still for as long as the stranger likes. Each way to send, receive, accept and
 * connect; where it fails, the test does not end.
 */
import t, { type Test } from 'tap'
import * as api from '../src/index.ts'
import { codeOf, leakChecked, sizedMemfd, tempFolder, withPair } from '../test-support/index.ts'

const hub = api.Hub.current()
leakChecked(t)

const { EAGAIN } = api.errnos
const { SOCK_SEQPACKET, SOCK_STREAM, SOCK_DGRAM } = api.constants

/** As a stranger does it who holds a duplicate. */
function clearNonBlocking(fd: api.OwnedFd): void {
  using stranger = api.dup(fd)
  api.setNonBlocking(stranger, false)
}

/** Sends until the peer takes no more. */
function fill(send: () => number): number {
  for (;;) {
    const result = send()
    if (result < 0) return result
  }
}

class Attached implements api.PacketHandler {
  readonly peer: api.OwnedFd
  readonly stranger: api.OwnedFd
  readonly socket: api.HubSocket
  readonly unsent: number[] = []
  onPacket: api.PacketHandler['onPacket'] = () => undefined
  onUnsent = (_bytes: Buffer, errno: number) => this.unsent.push(errno)

  constructor(t: Test) {
    const [mine, peer] = api.socketpair(SOCK_SEQPACKET)
    this.stranger = api.dup(mine)
    this.peer = peer
    this.socket = hub.attach(mine, this, { acceptsFileDescriptors: true })
    this.clear()
    t.teardown(() => {
      this.socket.close()
      this.stranger.close()
      peer.close()
    })
  }

  clear(): void {
    api.setNonBlocking(this.stranger, false)
  }

  onEnd(): void {}
  onWritable(): void {}

  /** The next packet that comes is handled by `handle`. */
  async next(handle: () => void = () => undefined): Promise<void> {
    hub.ref()
    await new Promise<void>((resolve) => {
      this.onPacket = () => {
        handle()
        resolve()
      }
    })
    hub.unref()
  }
}

t.test('the hub sends', async (t) => {
  const { socket } = new Attached(t)
  t.equal(
    fill(() => socket.send(1000)),
    EAGAIN,
  )
})

t.test('the hub sends descriptors', async (t) => {
  using memfd = sizedMemfd()
  const { socket } = new Attached(t)
  t.equal(
    fill(() => socket.send(1000, [memfd])),
    EAGAIN,
  )
})

t.test('the hub sends to many', async (t) => {
  const sockets = [new Attached(t), new Attached(t)].map(({ socket }) => socket)
  const failed: number[] = []
  const send = () => {
    hub.broadcast(sockets, 1000, undefined, (_index, errno) => failed.push(errno))
    return failed[0] ?? 0
  }
  t.equal(fill(send), EAGAIN)
  t.strictSame(failed, [EAGAIN, EAGAIN])
})

t.test('the hub sends what was left for the end of a batch', async (t) => {
  const attached = new Attached(t)
  while (attached.unsent.length === 0) {
    api.sendmsg(attached.peer, Buffer.from('?'))
    await attached.next(() => {
      for (let i = 0; i < 60; i++) attached.socket.sendLater(500)
    })
    await new Promise(setImmediate) // the rest of that batch
  }
  t.equal(attached.unsent[0], EAGAIN)
})

t.test('the hub looks for a second packet where there is none', async (t) => {
  const attached = new Attached(t)
  for (let packet = 0; packet < 40; packet++) {
    attached.clear()
    api.sendmsg(attached.peer, Buffer.from('!'))
    await attached.next()
  }
  t.pass('it was told that there is none')
})

t.test('the hub looks for a second connection where there is none', async (t) => {
  const path = `${tempFolder(t)}/s`
  const listening = api.socket(SOCK_SEQPACKET)
  using stranger = api.dup(listening)
  api.bind(listening, path)
  api.listen(listening)
  let accepted: () => void = () => undefined
  const onConnection = (fd: api.OwnedFd) => {
    fd.close()
    accepted()
  }
  const listener = hub.listen(listening, { onConnection, onAcceptFailed: () => t.fail('accept failed') })
  hub.ref()
  for (let connection = 0; connection < 40; connection++) {
    api.setNonBlocking(stranger, false)
    const isAccepted = new Promise<void>((resolve) => (accepted = resolve))
    using client = api.socket(SOCK_SEQPACKET)
    api.connect(client, path)
    await isAccepted
  }
  hub.unref()
  listener.close()
  t.pass('it was told that there is none')
})

for (const [kind, type] of Object.entries({ SOCK_SEQPACKET, SOCK_STREAM, SOCK_DGRAM })) {
  t.test(`sendmsg and recvmsg on ${kind}`, async (t) => {
    using memfd = sizedMemfd()
    withPair((a, b) => {
      clearNonBlocking(a)
      clearNonBlocking(b)
      t.equal(
        codeOf(() => api.recvmsg(b, 10)),
        'EAGAIN',
      )
      t.equal(
        codeOf(() => fill(() => api.sendmsg(a, Buffer.alloc(1000)))),
        'EAGAIN',
      )
      t.equal(
        codeOf(() => fill(() => api.sendmsg(a, Buffer.alloc(1000), [memfd]))),
        'EAGAIN',
      )
    }, type)
  })
}

t.test('recvmsg that is to wait for all', async (t) => {
  withPair((a, b) => {
    clearNonBlocking(b)
    api.sendmsg(a, Buffer.from('half'))
    t.equal(api.recvmsg(b, 100, 0, api.constants.MSG_WAITALL).data.length, 4)
  }, SOCK_STREAM)
})

t.test('accept, and connect to a full backlog', async (t) => {
  const path = `${tempFolder(t)}/s`
  using listening = api.socket(SOCK_SEQPACKET)
  api.bind(listening, path)
  api.listen(listening, 0)
  clearNonBlocking(listening)
  t.equal(api.accept(listening), null)
  using first = api.socket(SOCK_SEQPACKET)
  api.connect(first, path)
  using second = api.socket(SOCK_SEQPACKET)
  clearNonBlocking(second)
  t.equal(
    codeOf(() => api.connect(second, path)),
    'EAGAIN',
  )
  api.accept(listening)?.close()
})
