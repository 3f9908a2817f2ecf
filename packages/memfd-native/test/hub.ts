/** Many packet sockets behind one libuv handle: what comes, in which order, and whose the descriptors are. */
import { fstatSync, readdirSync } from 'node:fs'
import { Session } from 'node:inspector'
import t, { type Test } from 'tap'
import * as api from '../src/index.ts'
import { identity, leakChecked, PAGE, sizedMemfd, tempFolder } from '../test-support/index.ts'

const hub = api.Hub.current() // lives as long as the thread: its descriptors are no leak of a test
const SHUT_WR = 1
leakChecked(t)

function isSocket(fd: number): boolean {
  try {
    return fstatSync(fd).isSocket()
  } catch {
    return false // the directory that was just read
  }
}

interface Packet {
  readonly data: string
  readonly fds: readonly api.OwnedFd[]
  readonly flags: number
  readonly credentials: api.Credentials | null
}

/** Writes down what comes, and keeps the process awake while somebody waits for it. */
class Recorder implements api.PacketHandler {
  readonly packets: Packet[] = []
  readonly ends: number[] = []
  readonly unsent: { data: string; errno: number }[] = []
  writable = 0
  onEach: (packet: Packet) => void = () => {}
  #wake: () => void = () => {}

  onPacket({ bytes, start, end, fds, flags, credentials }: api.ReceivedPacket): void {
    const packet = { data: bytes.toString('latin1', start, end), fds, flags, credentials }
    this.packets.push(packet)
    this.#wake()
    this.onEach(packet)
  }

  onEnd(errno: number): void {
    this.ends.push(errno)
    this.#wake()
  }

  onWritable(): void {
    this.writable += 1
    this.#wake()
  }

  onUnsent(bytes: Buffer, errno: number): void {
    this.unsent.push({ data: bytes.toString('latin1'), errno })
  }

  async until(isSo: () => boolean): Promise<void> {
    hub.ref()
    while (!isSo()) await new Promise<void>((resolve) => (this.#wake = resolve))
    hub.unref()
  }
}

interface Attached {
  readonly peer: api.OwnedFd
  readonly socket: api.HubSocket
  readonly recorder: Recorder
}

function attach(t: Test, acceptsFileDescriptors = false): Attached {
  const [mine, peer] = api.socketpair(api.constants.SOCK_SEQPACKET)
  const recorder = new Recorder()
  const attached = hub.attach(mine, recorder, { acceptsFileDescriptors })
  t.teardown(() => {
    attached.close()
    peer.close()
  })
  return { peer, socket: attached, recorder }
}

function say(peer: api.OwnedFd, text: string, fds: api.OwnedFd[] = []): void {
  api.sendmsg(peer, Buffer.from(text, 'latin1'), fds)
}

t.test('the first event of a batch is told when the batch began, and no other one is', async (t) => {
  const clock = () => process.hrtime()[0] * 1000 + process.hrtime()[1] / 1e6
  const before = clock()
  const starts: number[] = []
  const { peer, recorder } = attach(t)
  recorder.onEach = () => starts.push(hub.batchStartMs)
  for (const text of ['at once', 'both']) say(peer, text) // a new socket's first two packets come in one batch
  await recorder.until(() => starts.length === 2)
  const [first = 0, second] = starts
  // The clock is read in two halves above: a second may pass between them.
  t.ok(first >= before - 1000 && first <= clock() + 1000, `${before} and then ${first}`)
  t.equal(second, 0)
  t.equal(hub.batchStartMs, 0)
})

t.test('packets come whole, in the order they were sent', async (t) => {
  const { peer, recorder } = attach(t)
  for (const text of ['a', 'bb', 'ccc']) say(peer, text)
  await recorder.until(() => recorder.packets.length === 3)
  t.strictSame(
    recorder.packets.map(({ data }) => data),
    ['a', 'bb', 'ccc'],
  )
})

t.test('a socket that is served often does not keep the others waiting', async (t) => {
  const busy = attach(t)
  const other = attach(t)
  busy.recorder.onEach = () => say(busy.peer, 'and another')
  say(busy.peer, 'one')
  await busy.recorder.until(() => busy.recorder.packets.length > 40)
  say(other.peer, 'mine')
  const before = busy.recorder.packets.length
  await other.recorder.until(() => other.recorder.packets.length === 1)
  t.ok(busy.recorder.packets.length - before < 40, `after ${busy.recorder.packets.length - before} of the other`)
  busy.recorder.onEach = () => undefined
  await busy.recorder.until(() => busy.recorder.packets.length > before)
})

t.test('a packet is sent to many sockets by one call, with a word that is another one for each', async (t) => {
  const all = Array.from({ length: 1500 }, () => attach(t))
  all[3]?.socket.close()
  all[1400]?.peer.close()
  const failures = new Map<number, number>()
  hub.outgoing.write('word ----!')
  const values = all.map((_, i) => 0x30303030 + i)
  hub.broadcast(
    all.map(({ socket }) => socket),
    9,
    { at: 4, values },
    (index, errno) => failures.set(index, errno),
  )
  t.strictSame(
    [...failures],
    [
      [3, -9],
      [1400, -32],
    ],
    'EBADF, EPIPE',
  )
  for (const [i, { peer }] of all.entries()) {
    if (failures.has(i)) continue
    const { data } = api.recvmsg(peer, 100)
    if (data.length !== 9 || data.readUInt32LE(4) !== values[i]) t.fail(`${i} got ${data.toString('latin1')}`)
  }
  for (const at of [2, 8, 9]) {
    const [{ socket }] = all as [Attached]
    t.throws(() => hub.broadcast([socket], 9, { at, values: [1] }), { code: 'EINVAL' }, `no word at ${at}`)
  }
})

t.test('a word that is longer than the packet is refused, also at its beginning, and reaches nobody', async (t) => {
  const { socket, peer } = attach(t)
  for (const [length, at] of [
    [3, 0],
    [1, 0],
    [7, 4],
    [9, 3],
  ] as const) {
    t.throws(() => hub.broadcast([socket], length, { at, values: [1] }), { code: 'EINVAL' })
  }
  t.throws(() => api.recvmsg(peer, 100, 0, api.constants.MSG_DONTWAIT), { code: 'EAGAIN' })
  hub.broadcast([socket], 4, { at: 0, values: [0x31323334] })
  t.equal(api.recvmsg(peer, 100).data.toString(), '4321')
})

const NO_SOCKETS: [what: string, it: unknown][] = [
  ['nothing', undefined],
  ['null', null],
  ['a number', 0],
  ['an object with a slot', { slot: 0 }],
  ['an object of its prototype', Object.create(api.HubSocket.prototype)],
]
for (const [what, it] of NO_SOCKETS) {
  t.test(`a broadcast to ${what} is refused, and reaches nobody`, async (t) => {
    const { socket, peer } = attach(t)
    t.throws(() => hub.broadcast([socket, it as api.HubSocket], 4), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' })
    t.strictSame(heard(peer), [])
  })
}

t.test('a broadcast with fewer words than sockets is refused, and reaches nobody', async (t) => {
  const { socket, peer } = attach(t)
  t.throws(() => hub.broadcast([socket, socket], 4, { at: 0, values: [1] }), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => hub.broadcast(new Array(2), 4), { code: 'ERR_INVALID_ARG_TYPE' }, 'and an array of nothing')
  t.strictSame(heard(peer), [])
})

t.test('a number, or an object that only looks like a descriptor, stays with the caller of the hub', async (t) => {
  const [fd, peer] = api.socketpair(api.constants.SOCK_SEQPACKET)
  const error = { code: 'ERR_INVALID_ARG_TYPE', message: /^fd / }
  const noop = () => undefined
  for (const it of [undefined, null, fd.fd, { fd: fd.fd, release: () => fd.fd }]) {
    t.throws(() => hub.attach(it as api.OwnedFd, new Recorder(), { acceptsFileDescriptors: false }), error)
    t.throws(() => hub.listen(it as api.OwnedFd, { onConnection: noop, onAcceptFailed: noop }), error)
  }
  fd.close()
  peer.close()
})

const NO_DESCRIPTORS: [what: string, it: unknown, code: string][] = [
  ['nothing', undefined, 'ERR_INVALID_ARG_TYPE'],
  ['null', null, 'ERR_INVALID_ARG_TYPE'],
  ['an object without a number', {}, 'ERR_INVALID_ARG_TYPE'],
  ['a string', '0', 'ERR_INVALID_ARG_TYPE'],
  ['NaN', Number.NaN, 'ERR_OUT_OF_RANGE'],
  ['a half', 0.5, 'ERR_OUT_OF_RANGE'],
  ['2^32', 2 ** 32, 'ERR_OUT_OF_RANGE'],
]
for (const [what, it, code] of NO_DESCRIPTORS) {
  t.test(`a packet with ${what} as descriptor is refused, and descriptor 0 does not leave`, async (t) => {
    const { socket, peer } = attach(t)
    t.throws(() => socket.send(4, [it as api.OwnedFd]), { code })
    t.strictSame(heard(peer), [])
  })
}

t.test('a packet with a closed descriptor is not sent', async (t) => {
  const { socket, peer } = attach(t)
  const closed = sizedMemfd(PAGE)
  closed.close()
  t.equal(socket.send(4, [closed]), -9, 'EBADF')
  t.strictSame(heard(peer), [])
})

for (const how of ['send', 'sendLater'] as const) {
  t.test(`a length that is none is refused by ${how}`, async (t) => {
    const { socket, peer } = attach(t)
    const lengths = [undefined, 0, -1, 1.5, Number.NaN, api.MAX_PACKET_BYTES + 1, 2 ** 32 + 1] as number[]
    for (const length of lengths) t.equal(socket[how](length), -22, `${length}: EINVAL`)
    await whileQuick(t, () => {
      for (const length of lengths) t.equal(socket[how](length), -22, `${length} in a batch`)
    })
    t.strictSame(heard(peer), [])
  })
}

t.test('a packet may end with bytes that are elsewhere', async (t) => {
  const { socket, peer } = attach(t)
  const whole = Buffer.from('not this, but this')
  const text = 'and '
  hub.outgoing.write(text)
  t.equal(socket.sendWith(text.length, whole.subarray(10)), 12)
  whole.fill(0)
  t.strictSame(heard(peer), ['and but this'], 'as they were when they were sent')
  t.equal(socket.sendWith(text.length, new Uint8Array(new SharedArrayBuffer(2))), 6, 'also of shared memory')
  t.equal(socket.sendWith(text.length, new Uint8Array(0)), 4)
  t.strictSame(heard(peer), ['and \0\0', 'and '])
  for (const none of [undefined, null, 'text', {}, new Int32Array(1)]) {
    t.throws(() => socket.sendWith(4, none as never), { code: 'ERR_INVALID_ARG_TYPE' })
  }
  for (const length of [0, -1, api.MAX_PACKET_BYTES + 1]) t.equal(socket.sendWith(length, whole), -22, 'EINVAL')
  t.strictSame(heard(peer), [])
  socket.close()
  t.equal(socket.sendWith(4, whole), -9, 'EBADF')
})

t.test('a packet sent from elsewhere comes after deferred packets', async (t) => {
  const { socket, peer } = attach(t)
  await whileQuick(t, () => {
    sendText(socket, 'sendLater', 'first')
    hub.outgoing.write('second')
    socket.sendWith(3, Buffer.from('rest'))
  })
  t.strictSame(heard(peer), ['first', 'secrest'])
})

t.test('a socket may be given more room, and never less', (t) => {
  const { socket } = attach(t)
  const packet = Buffer.alloc(60_000)
  const sendAll = (): number => {
    for (let count = 0; ; count++) if (socket.sendWith(1, packet) === -11) return count
  }
  const usual = sendAll()
  socket.widenSendBuffer(1)
  t.equal(sendAll(), 0, 'it is full as before')
  socket.widenSendBuffer(2 ** 31 - 1)
  t.ok(usual > 0)
  t.ok(sendAll() > 0, 'so much is allowed, more or less')
  socket.close()
  t.throws(() => socket.widenSendBuffer(1), { code: 'EBADF' })
  t.end()
})

t.test('a broadcast without a word is the packet as it is', async (t) => {
  const { socket, peer } = attach(t)
  hub.outgoing.write('as it is')
  hub.broadcast([socket], 8)
  t.equal(api.recvmsg(peer, 100).data.toString(), 'as it is')
})

/** Everything that the kernel has for the owner of this end now. */
function heard(peer: api.OwnedFd): string[] {
  const all: string[] = []
  for (;;) {
    try {
      all.push(api.recvmsg(peer, 1000).data.toString('latin1'))
    } catch (error) {
      if ((error as { code?: string }).code === 'EAGAIN') return all
      throw error
    }
  }
}

function sendText(socket: api.HubSocket, how: 'send' | 'sendLater', text: string): number {
  hub.outgoing.write(text, 'latin1')
  return socket[how](text.length)
}

/** Runs `act` while the hub hands a batch over. */
async function whileDispatching(t: Test, act: () => void): Promise<void> {
  const { peer, recorder } = attach(t)
  recorder.onEach = act
  say(peer, 'now')
  await recorder.until(() => recorder.packets.length === 1)
}

/** The same, in a batch in which packets may wait: they may after one that was handled at once, which on a slow machine is not each. */
async function whileQuick(t: Test, act: () => void): Promise<void> {
  const { peer, recorder } = attach(t)
  const probe = attach(t)
  let isQuick = false
  let told = 0
  const next = async (onEach: () => void) => {
    recorder.onEach = onEach
    say(peer, 'now')
    told += 1
    await recorder.until(() => recorder.packets.length === told)
  }
  while (!isQuick) {
    await next(() => undefined)
    await next(() => {
      for (let i = 0; i < 4; i++) sendText(probe.socket, 'sendLater', 'probe')
      isQuick = heard(probe.peer).length === 0
      hub.flush()
      heard(probe.peer) // else the probes of this batch would be heard in the next one
      if (isQuick) act()
    })
  }
}

t.test('deferred packets are sent when the batch has been handled', async (t) => {
  const { socket, peer } = attach(t)
  const other = attach(t)
  await whileQuick(t, () => {
    t.equal(sendText(socket, 'sendLater', 'first'), 5)
    sendText(other.socket, 'sendLater', 'to another')
    sendText(socket, 'sendLater', 'second')
    t.strictSame(heard(peer), [])
  })
  t.strictSame(heard(peer), ['first', 'second'])
  t.strictSame(heard(other.peer), ['to another'])
})

t.test('outside of a batch, and when it is long, later is at once', async (t) => {
  const { socket, peer } = attach(t)
  sendText(socket, 'sendLater', 'idle')
  t.strictSame(heard(peer), ['idle'])
  await whileQuick(t, () => {
    sendText(socket, 'sendLater', '5'.repeat(512))
    t.strictSame(heard(peer), [])
    sendText(socket, 'sendLater', 'x'.repeat(513))
    t.strictSame(heard(peer), ['5'.repeat(512), 'x'.repeat(513)], 'and what waited is before it')
  })
})

const AT_ONCE: Record<string, (attached: Attached) => void> = {
  'a packet that is sent at once': ({ socket }) => sendText(socket, 'send', 'at once'),
  'a broadcast': ({ socket }) => {
    hub.outgoing.write('at once')
    hub.broadcast([socket], 7)
  },
}
for (const [what, act] of Object.entries(AT_ONCE)) {
  t.test(`${what} does not overtake what may be sent later`, async (t) => {
    const attached = attach(t)
    await whileQuick(t, () => {
      sendText(attached.socket, 'sendLater', 'later')
      act(attached)
    })
    t.strictSame(heard(attached.peer), ['later', 'at once'])
  })
}

t.test('deferred packets are sent before their socket closes or leaves the hub', async (t) => {
  const closing = attach(t)
  const leaving = attach(t)
  await whileQuick(t, () => {
    sendText(closing.socket, 'sendLater', 'goodbye')
    closing.socket.close()
    sendText(leaving.socket, 'sendLater', 'so long')
    leaving.socket.detach().close()
  })
  t.equal(api.recvmsg(closing.peer, 100).data.toString(), 'goodbye')
  t.equal(api.recvmsg(leaving.peer, 100).data.toString(), 'so long')
})

t.test('more than a batch of packets that may be sent later', async (t) => {
  const all = Array.from({ length: 150 }, () => attach(t))
  await whileQuick(t, () => {
    for (const [i, { socket }] of all.entries()) sendText(socket, 'sendLater', `to ${i}`)
  })
  for (const [i, { peer }] of all.entries()) t.strictSame(heard(peer), [`to ${i}`])
})

t.test('packets that could not be sent come back, the last one first, and nothing overtakes them', async (t) => {
  const { socket, peer, recorder } = attach(t)
  const gone = attach(t)
  const thrower = attach(t)
  gone.peer.close()
  let queued = 0
  while (sendText(socket, 'send', `queued ${queued}`) > 0) queued += 1
  await whileQuick(t, () => {
    sendText(socket, 'sendLater', 'one')
    sendText(gone.socket, 'sendLater', 'to nobody')
    sendText(socket, 'sendLater', 'two')
    sendText(thrower.socket, 'send', 'sends the others too')
    heard(peer) // there is room now
    t.equal(sendText(socket, 'send', 'three'), -11)
    sendText(socket, 'sendLater', 'four')
    t.strictSame(recorder.unsent, [], 'nobody is told in the middle of it')
  })
  t.strictSame(
    recorder.unsent,
    ['four', 'two', 'one'].map((data) => ({ data, errno: -11 })),
  )
  t.strictSame(gone.recorder.unsent, [{ data: 'to nobody', errno: -32 }])
  t.ok(sendText(socket, 'send', 'now') > 0, 'and the next batch is another one')
  t.strictSame(heard(peer), ['now'])
})

t.test('if handlers are slow, deferred packets do not wait for them', async (t) => {
  const { socket, peer } = attach(t)
  await whileDispatching(t, () => {
    for (const end = performance.now() + 3; performance.now() < end; );
  })
  await whileDispatching(t, () => {
    sendText(socket, 'sendLater', 'at once')
    t.strictSame(heard(peer), ['at once'])
  })
})

t.test("a socket that leaves the hub is its owner's again, and nothing of it is told any more", async (t) => {
  const { peer, socket, recorder } = attach(t)
  hub.outgoing.write('unread')
  socket.send(6)
  t.ok(socket.unreadBytes() > 0)
  const fd = socket.detach()
  t.equal(socket.isClosed, true)
  say(peer, 'for the owner')
  t.equal(api.recvmsg(fd, 100).data.toString(), 'for the owner')
  t.equal(api.recvmsg(peer, 100).data.toString(), 'unread')
  t.equal(recorder.packets.length, 0)
  fd.close()
  t.throws(() => socket.detach(), { code: 'EBADF' })
  t.throws(() => socket.unreadBytes(), { code: 'EBADF' })
  t.throws(() => socket.hasHungUp, { code: 'EBADF' })
})

t.test('that a peer has hung up is known before it is told, and before what it sent is', async (t) => {
  for (const hangUp of [(peer: api.OwnedFd) => peer.close(), (peer: api.OwnedFd) => api.shutdown(peer, SHUT_WR)]) {
    const { peer, socket, recorder } = attach(t)
    t.equal(socket.hasHungUp, false)
    say(peer, 'the last word')
    t.equal(socket.hasHungUp, false)
    hangUp(peer)
    t.equal(socket.hasHungUp, true)
    t.strictSame(recorder.packets, [])
    await recorder.until(() => recorder.ends.length > 0)
    t.equal(recorder.packets.length, 1)
    t.equal(socket.hasHungUp, true)
    socket.close()
  }
})

t.test('a signal is no trouble for who asks whether a peer has hung up', async (t) => {
  const { socket } = attach(t)
  const session = new Session()
  session.connect()
  t.teardown(() => session.disconnect())
  session.post('Profiler.enable')
  session.post('Profiler.setSamplingInterval', { interval: 50 }) // by SIGPROF, each so many microseconds
  session.post('Profiler.start')
  let hungUp = 0
  for (let i = 0; i < 300_000; i++) if (socket.hasHungUp) hungUp += 1
  t.equal(hungUp, 0)
})

t.test('a socket that gets another number goes on as it was', async (t) => {
  const { peer, socket, recorder } = attach(t)
  const limit = 200
  socket.renumber(limit)
  t.ok(
    readdirSync('/proc/self/fd')
      .map(Number)
      .some((fd) => fd >= limit && isSocket(fd)),
  )
  say(peer, 'a')
  await recorder.until(() => recorder.packets.length === 1)
  hub.outgoing.write('b')
  t.equal(socket.send(1), 1)
  t.equal(api.recvmsg(peer, 1).data.toString(), 'b')
  t.throws(() => socket.renumber(2 ** 31 - 1), { code: 'EINVAL' })
  say(peer, 'c')
  await recorder.until(() => recorder.packets.length === 2)
  peer.close()
  await recorder.until(() => recorder.ends.length === 1)
  socket.close()
  t.throws(() => socket.renumber(limit), { code: 'EBADF' })
})

t.test('packets do not tell their sender any more once that was stopped', async (t) => {
  const [mine, peer] = api.socketpair(api.constants.SOCK_SEQPACKET)
  api.setPassCredentials(mine, true)
  const recorder = new Recorder()
  const attached = hub.attach(mine, recorder, { acceptsFileDescriptors: false })
  say(peer, 'a')
  await recorder.until(() => recorder.packets.length === 1)
  say(peer, 'b')
  attached.stopCredentials()
  say(peer, 'c')
  await recorder.until(() => recorder.packets.length === 3)
  t.strictSame(
    recorder.packets.map(({ credentials, flags }) => [credentials?.pid ?? null, flags]),
    [
      [process.pid, 0],
      [null, 0],
      [null, 0],
    ],
  )
  attached.close()
  peer.close()
})

t.test('more packets than one batch holds are all told', async (t) => {
  const { peer, recorder } = attach(t)
  for (let i = 0; i < 100; i++) say(peer, String(i))
  await recorder.until(() => recorder.packets.length === 100)
  t.strictSame(
    recorder.packets.map(({ data }) => Number(data)),
    Array.from({ length: 100 }, (_, i) => i),
  )
})

t.test('the longest packet comes whole, one byte more comes cut and says so', async (t) => {
  const { peer, recorder } = attach(t)
  say(peer, 'x'.repeat(api.MAX_PACKET_BYTES))
  say(peer, 'y'.repeat(api.MAX_PACKET_BYTES + 1))
  await recorder.until(() => recorder.packets.length === 2)
  t.match(recorder.packets, [{ flags: 0 }, { flags: api.constants.MSG_TRUNC }])
  t.equal(recorder.packets[0]?.data.length, api.MAX_PACKET_BYTES)
})

t.test('a descriptor comes with its packet, and is owned', async (t) => {
  const { peer, recorder } = attach(t, true)
  using memfd = sizedMemfd()
  say(peer, 'here', [memfd])
  say(peer, 'none')
  await recorder.until(() => recorder.packets.length === 2)
  const [fd] = recorder.packets[0]?.fds ?? []
  t.equal(fd && identity(fd), identity(memfd))
  t.equal(fd && api.fstat(fd).size, PAGE)
  t.equal(recorder.packets[1]?.fds.length, 0)
  fd?.close()
})

t.test('a socket that brings many descriptors gives no more packets in the same batch', async (t) => {
  const { peer, recorder } = attach(t, true)
  using memfd = sizedMemfd()
  const byBatch = new Map<number, number>()
  recorder.onEach = ({ fds }) => {
    byBatch.set(hub.batch, (byBatch.get(hub.batch) ?? 0) + fds.length)
    for (const fd of fds) fd.close()
  }
  for (const count of [253, 63, 10, 253, 1, 63, 1, 1]) say(peer, 'x', Array(count).fill(memfd))
  peer.close() // all that is left is asked for at once
  await recorder.until(() => recorder.ends.length === 1)
  t.strictSame([...byBatch.values()], [253, 73, 253, 64, 2])
  t.equal(recorder.packets.length, 8)
})

t.test('a socket that accepts no descriptors gets none, and is told', async (t) => {
  const { peer, recorder } = attach(t, false)
  using memfd = sizedMemfd()
  say(peer, 'here', [memfd])
  await recorder.until(() => recorder.packets.length === 1)
  t.match(recorder.packets, [{ data: 'here', fds: [], flags: api.constants.MSG_CTRUNC }])
})

t.test('credentials come where they were asked for, and leave no room for descriptors', async (t) => {
  const [mine, peer] = api.socketpair(api.constants.SOCK_SEQPACKET)
  api.setPassCredentials(mine, true)
  const recorder = new Recorder()
  using memfd = sizedMemfd()
  const attached = hub.attach(mine, recorder, { acceptsFileDescriptors: false })
  say(peer, 'who', [memfd])
  await recorder.until(() => recorder.packets.length === 1)
  const credentials = { pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() }
  t.match(recorder.packets, [{ credentials, fds: [], flags: api.constants.MSG_CTRUNC }])
  attached.close()
  peer.close()
})

t.test('the end comes once, behind the packets', async (t) => {
  const { peer, recorder } = attach(t)
  say(peer, 'last words')
  peer.close()
  await recorder.until(() => recorder.ends.length === 1)
  t.strictSame(recorder.ends, [0])
  t.equal(recorder.packets.length, 1)
})

t.test('an empty packet is no end', async (t) => {
  const { peer, recorder } = attach(t)
  api.sendmsg(peer, Buffer.alloc(0))
  await recorder.until(() => recorder.packets.length === 1)
  t.match(recorder.packets, [{ data: '' }])
  t.strictSame(recorder.ends, [])
})

t.test('sending says when the peer takes no more, and when it does again', async (t) => {
  const { peer, socket, recorder } = attach(t)
  hub.outgoing.fill(7, 0, 1000)
  let sent = 0
  while (socket.send(1000) === 1000) sent += 1
  t.ok(sent > 10, `${sent} packets wait in the kernel`)
  t.equal(socket.send(1000), -11, 'EAGAIN')
  socket.setInterest({ readable: true, writable: true })
  const reader = new Recorder()
  const attached = hub.attach(peer, reader, { acceptsFileDescriptors: false })
  await recorder.until(() => recorder.writable > 0)
  socket.setInterest({ readable: true, writable: false })
  await reader.until(() => reader.packets.length === sent)
  t.equal(socket.send(1000), 1000)
  attached.close()
})

t.test('a socket that is closed during a batch gets nothing more, and its descriptors are closed', async (t) => {
  const first = attach(t, true)
  const second = attach(t, true)
  using memfd = sizedMemfd()
  // Both are readable before the hub looks; whichever is told first closes the other.
  const closeOther = (other: api.HubSocket) => (packet: Packet) => {
    for (const fd of packet.fds) fd.close()
    other.close()
  }
  first.recorder.onEach = closeOther(second.socket)
  second.recorder.onEach = closeOther(first.socket)
  say(first.peer, 'one', [memfd])
  say(second.peer, 'two', [memfd])
  const told = () => first.recorder.packets.length + second.recorder.packets.length
  await Promise.race([first.recorder.until(() => told() > 0), second.recorder.until(() => told() > 0)])
  t.equal(told(), 1)
  hub.unref() // of the race's loser, who waits for ever
})

t.test('a socket attached while a batch is told gets no packet that was meant for a closed one', async (t) => {
  const { peer, socket, recorder } = attach(t)
  const [mine, other] = api.socketpair(api.constants.SOCK_SEQPACKET)
  const stranger = new Recorder()
  let attached: api.HubSocket | undefined
  recorder.onEach = () => {
    socket.close()
    attached ??= hub.attach(mine, stranger, { acceptsFileDescriptors: false })
  }
  say(peer, 'one')
  say(peer, 'two')
  await recorder.until(() => recorder.packets.length === 1)
  say(other, 'mine')
  await stranger.until(() => stranger.packets.length > 0)
  t.strictSame(
    stranger.packets.map(({ data }) => data),
    ['mine'],
  )
  t.equal(recorder.packets.length, 1)
  attached?.close()
  other.close()
})

t.test('a listener hands over connections with who they are, and rests while it is paused', async (t) => {
  const path = `${tempFolder(t)}/socket`
  const listening = api.socket(api.constants.SOCK_SEQPACKET)
  api.bind(listening, path)
  api.listen(listening)
  const accepted: [api.OwnedFd, api.Credentials | null][] = []
  let wake = () => {}
  const listener = hub.listen(listening, {
    onConnection: (fd, credentials) => {
      accepted.push([fd, credentials])
      wake()
    },
    onAcceptFailed: () => {},
  })
  listener.setPaused(true)
  using client = api.socket(api.constants.SOCK_SEQPACKET)
  api.connect(client, path)
  const { peer, recorder } = attach(t)
  say(peer, 'a turn of the loop')
  await recorder.until(() => recorder.packets.length === 1)
  t.equal(accepted.length, 0, 'the connection waits in the kernel')
  listener.setPaused(false)
  hub.ref()
  await new Promise<void>((resolve) => (wake = resolve))
  hub.unref()
  const [[fd, credentials] = []] = accepted
  t.match(credentials, { pid: process.pid, uid: process.getuid?.() })
  fd?.close()
  listener.close()
})

t.test('closing twice is harmless, and sending after it says EBADF', async (t) => {
  const { socket } = attach(t)
  socket.close()
  socket.close()
  t.equal(socket.isClosed, true)
  t.equal(socket.send(1), -9)
})

t.test('more than 253 descriptors, or no bytes, are refused', async (t) => {
  const { socket } = attach(t)
  t.equal(socket.send(1, Array(254).fill(0)), -22)
  t.equal(socket.send(0), -22)
})
