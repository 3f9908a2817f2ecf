/** What has come is taken in at once, in the middle of something: in order, each packet once, its descriptors with it. */
import { setImmediate } from 'node:timers/promises'
import t, { type Test } from 'tap'
import * as api from '../src/index.ts'
import { leakChecked, sizedMemfd } from '../test-support/index.ts'

const hub = api.Hub.current()
leakChecked(t)

class Recorder implements api.PacketHandler {
  readonly log: string[] = []
  onEach: (text: string) => void = () => undefined

  onPacket({ bytes, start, end, fds }: api.ReceivedPacket): void {
    const text = bytes.toString('latin1', start, end)
    this.log.push(`${text}${fds.length > 0 ? ` +${fds.length}` : ''}`)
    for (const fd of fds) fd.close()
    this.onEach(text)
    if (bytes.toString('latin1', start, end) !== text) this.log.push(`${text} was overwritten`)
  }

  onEnd(): void {
    this.log.push('end')
    this.onEach('end')
  }

  onWritable(): void {}

  async until(text: string): Promise<void> {
    hub.ref()
    while (!this.log.includes(text)) await setImmediate()
    hub.unref()
  }
}

function attach(t: Test): { peer: api.OwnedFd; socket: api.HubSocket; told: Recorder; taken: Recorder } {
  const [mine, peer] = api.socketpair(api.constants.SOCK_SEQPACKET)
  const told = new Recorder()
  const socket = hub.attach(mine, told, { acceptsFileDescriptors: true })
  t.teardown(() => {
    socket.close()
    peer.close()
  })
  return { peer, socket, told, taken: new Recorder() }
}

function say(peer: api.OwnedFd, text: string, fds: api.OwnedFd[] = []): void {
  api.sendmsg(peer, Buffer.from(text, 'latin1'), fds)
}

t.test('packets in the kernel go to the taker, later ones to the handler', async (t) => {
  const { peer, socket, told, taken } = attach(t)
  const fd = sizedMemfd(4096)
  say(peer, 'a')
  say(peer, 'b', [fd, fd])
  fd.close()
  socket.takeIn(taken, 10)
  t.strictSame(taken.log, ['a', 'b +2'])
  socket.takeIn(taken, 10)
  say(peer, 'c')
  await told.until('c')
  t.strictSame([taken.log, told.log], [['a', 'b +2'], ['c']])
})

t.test('no more is taken in than was asked for', async (t) => {
  const { peer, socket, told, taken } = attach(t)
  for (const text of ['a', 'b', 'c', 'd']) say(peer, text)
  socket.takeIn(taken, 1)
  socket.takeIn(taken, 2)
  await told.until('d')
  t.strictSame([taken.log, told.log], [['a', 'b', 'c'], ['d']])
})

t.test('packets of the same batch are taken in before those in the kernel, and are not reported', async (t) => {
  const { peer, socket, told, taken } = attach(t)
  const other = attach(t)
  const fd = sizedMemfd(4096)
  told.onEach = (text) => {
    if (text !== 'a') return
    say(peer, 'd')
    socket.takeIn(taken, 10)
  }
  say(peer, 'a')
  say(peer, 'b', [fd])
  say(peer, 'c')
  say(other.peer, 'of another')
  fd.close()
  await told.until('a')
  await other.told.until('of another')
  say(peer, 'e')
  await told.until('e')
  t.strictSame(taken.log, ['b +1', 'c', 'd'])
  t.strictSame(told.log, ['a', 'e'])
  t.strictSame(other.told.log, ['of another'])
})

t.test('packets that were reported are not taken in by the promises of their batch', async (t) => {
  const { peer, socket, told, taken } = attach(t)
  const fd = sizedMemfd(4096)
  told.onEach = (text) => {
    if (text !== 'a') return
    process.nextTick(() => socket.takeIn(taken, 10))
    void Promise.resolve().then(() => socket.takeIn(taken, 10))
  }
  say(peer, 'a', [fd])
  say(peer, 'b', [fd])
  fd.close()
  await told.until('b +1')
  t.strictSame([told.log, taken.log], [['a +1', 'b +1'], []])
})

t.test('the end is taken in once, behind the packets, and wakes nobody any more', async (t) => {
  const { peer, socket, told, taken } = attach(t)
  const other = attach(t)
  say(peer, 'last')
  peer.close()
  for (let i = 0; i < 3; i++) socket.takeIn(taken, 10)
  t.strictSame(taken.log, ['last', 'end'])
  say(other.peer, 'x')
  await other.told.until('x')
  const { batch } = hub
  for (let turn = 0; turn < 20; turn++) await setImmediate()
  t.equal(hub.batch, batch)
  t.strictSame(told.log, [])
})

t.test('a closed socket has nothing to take in', async (t) => {
  const { socket, taken } = attach(t)
  socket.close()
  socket.takeIn(taken as api.PacketTaker, 10)
  t.strictSame(taken.log, [])
})
