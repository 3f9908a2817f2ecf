/** Groups of sockets: what comes for a closed one waits in the kernel, in the order in which it became ready. */
import t, { type Test } from 'tap'
import { constants, Hub, type HubSocket, type OwnedFd, type ReceivedPacket, sendmsg, socketpair } from '../src/index.ts'
import { leakChecked } from '../test-support/index.ts'

const hub = Hub.current()
leakChecked(t)

/** What the sockets of one test are told, in this order. */
class Log {
  readonly lines: string[] = []
  onEach: (line: string) => void = () => undefined
  #wake: () => void = () => undefined

  add(line: string): void {
    this.lines.push(line)
    this.#wake()
    this.onEach(line)
  }

  async until(count: number): Promise<void> {
    hub.ref()
    while (this.lines.length < count) await new Promise<void>((resolve) => (this.#wake = resolve))
    hub.unref()
  }
}

function attach(t: Test, name: string, log: Log): { peer: OwnedFd; socket: HubSocket } {
  const [mine, peer] = socketpair(constants.SOCK_SEQPACKET)
  const handler = {
    onPacket: ({ bytes, start, end }: ReceivedPacket) => log.add(`${name}${bytes.toString('latin1', start, end)}`),
    onEnd: () => log.add(`${name} ended`),
    onWritable: () => log.add(`${name} writable`),
  }
  const socket = hub.attach(mine, handler, { acceptsFileDescriptors: false })
  t.teardown(() => {
    socket.close()
    peer.close()
  })
  return { peer, socket }
}

function makeGroup(t: Test) {
  const group = hub.makeGroup()
  t.teardown(() => group.release())
  return group
}

function say(peer: OwnedFd, ...texts: string[]): void {
  for (const text of texts) sendmsg(peer, Buffer.from(text))
}

/**
 * Whatever was ready has been told, also where a thread of its own polls, and has no turn of the event loop to be ready by: a socket
 * that became ready after all of it has come.
 */
async function turns(): Promise<void> {
  const [mine, peer] = socketpair(constants.SOCK_SEQPACKET)
  const pulse = new Log()
  const handler = { onPacket: () => pulse.add('pulse'), onEnd: () => undefined, onWritable: () => undefined }
  const socket = hub.attach(mine, handler, { acceptsFileDescriptors: false })
  for (let count = 1; count <= 2; count++) {
    say(peer, 'x')
    await pulse.until(count)
    await new Promise(setImmediate)
  }
  socket.close()
  peer.close()
}

t.test('packets for a closed group wait, and packets for others do not', async (t) => {
  const log = new Log()
  const group = makeGroup(t)
  const [a, b] = [attach(t, 'a', log), attach(t, 'b', log)]
  a.socket.join(group)
  group.close()
  say(a.peer, '1')
  say(b.peer, '1')
  await log.until(1)
  await turns()
  t.strictSame(log.lines, ['b1'])
  group.open()
  await log.until(2)
  t.strictSame(log.lines, ['b1', 'a1'])
})

t.test('those who wait are admitted in the order in which they became ready, one packet each', async (t) => {
  const log = new Log()
  const group = makeGroup(t)
  const all = ['a', 'b', 'c'].map((name) => attach(t, name, log))
  for (const { socket } of all) socket.join(group)
  group.close()
  for (const i of [2, 0, 1]) {
    say((all[i] as { peer: OwnedFd }).peer, '1', '2')
    await turns()
  }
  t.equal(group.admit(2), 2)
  await log.until(2)
  await turns()
  t.strictSame(log.lines, ['c1', 'a1'])
  t.equal(group.admit(2), 2)
  await log.until(4)
  t.strictSame(log.lines.slice(2), ['b1', 'c2'])
  await turns()
  t.equal(group.admit(8), 2)
  await log.until(6)
  await turns()
  t.equal(group.admit(8), 0, 'nobody waits any more')
})

t.test('a socket that was admitted and not served keeps its place', async (t) => {
  const log = new Log()
  const group = makeGroup(t)
  const [a, b] = [attach(t, 'a', log), attach(t, 'b', log)]
  for (const { socket } of [a, b]) socket.join(group)
  group.close()
  say(a.peer, '1')
  await turns()
  say(b.peer, '1')
  await turns()
  t.equal(group.admit(1), 1)
  group.close()
  await turns()
  t.strictSame(log.lines, [])
  t.equal(group.admit(1), 1)
  await log.until(1)
  t.strictSame(log.lines, ['a1'])
})

t.test('a group that is closed while a batch is told is received no more after it', async (t) => {
  const log = new Log()
  const group = makeGroup(t)
  const all = Array.from({ length: 200 }, (_, i) => attach(t, `${i}.`, log))
  for (const { socket, peer } of all) {
    socket.join(group)
    say(peer, '1')
  }
  log.onEach = () => group.close()
  await log.until(1)
  await turns()
  t.ok(log.lines.length < all.length, `${log.lines.length} came`)
  log.onEach = () => undefined
  group.open()
  await log.until(all.length)
  t.equal(new Set(log.lines).size, all.length)
})

t.test('the end of a socket waits as its packets do, and comes behind them', async (t) => {
  const log = new Log()
  const group = makeGroup(t)
  const { peer, socket } = attach(t, 'a', log)
  socket.join(group)
  group.close()
  say(peer, '1')
  peer.close()
  await turns()
  t.strictSame(log.lines, [])
  group.open()
  await log.until(2)
  t.strictSame(log.lines, ['a1', 'a ended'])
})

t.test('a socket that waits is told that it can send, closes, moves, and changes its number', async (t) => {
  const log = new Log()
  const group = makeGroup(t)
  const [a, b, c] = [attach(t, 'a', log), attach(t, 'b', log), attach(t, 'c', log)]
  for (const { socket, peer } of [a, b, c]) {
    socket.join(group)
    say(peer, '1')
  }
  group.close()
  await turns()
  a.socket.setInterest({ readable: true, writable: true })
  await log.until(1)
  a.socket.setInterest({ readable: true, writable: false })
  await turns()
  t.strictSame([...new Set(log.lines)], ['a writable'], 'reading is still not asked for')
  const told = log.lines.length
  a.socket.close()
  b.socket.renumber(300)
  const other = makeGroup(t)
  c.socket.join(other)
  await log.until(told + 1)
  await turns()
  t.strictSame(log.lines.slice(told), ['c1'])
  group.open()
  await log.until(told + 2)
  t.strictSame(log.lines.slice(told), ['c1', 'b1'])
})

t.test('a slot that is used again is in no group', async (t) => {
  const log = new Log()
  const group = makeGroup(t)
  const first = attach(t, 'a', log)
  first.socket.join(group)
  group.close()
  first.socket.close()
  const second = attach(t, 'b', log)
  say(second.peer, '1')
  await log.until(1)
  t.strictSame(log.lines, ['b1'])
})

t.test('batches of one turn of the event loop have the same number, and tell how long they took', async (t) => {
  const log = new Log()
  const { peer } = attach(t, 'a', log)
  const seen: number[] = []
  log.onEach = () => {
    seen.push(hub.turn)
    void Promise.resolve().then(() => {
      for (const end = performance.now() + 2; performance.now() < end; );
    })
  }
  for (const text of ['1', '2']) {
    say(peer, text)
    await log.until(seen.length + 1)
    await new Promise(setImmediate) // and no other batch
  }
  t.equal(new Set(seen).size, 2)
  // In Deno they run when native code has returned.
  if (!('deno' in process.versions)) t.ok(hub.lastBatchMs() >= 2, 'with what was left to a microtask')
})

t.test('a closed socket joins no group', async (t) => {
  const { socket } = attach(t, 'a', new Log())
  socket.close()
  t.throws(() => socket.join(makeGroup(t)), { code: 'EBADF' })
})
