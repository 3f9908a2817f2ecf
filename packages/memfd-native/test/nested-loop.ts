/**
 * A handler that runs the event loop itself, as deasync does. libuv warns of it, and programs do it: then each packet still
 * comes once, in order, the bytes that a handler borrowed stay as they are, and nobody waits for what lies in the same batch.
 */
import t, { type Test } from 'tap'
import * as api from '../src/index.ts'
import { leakChecked, runLoop, sizedMemfd } from '../test-support/index.ts'

const hub = api.Hub.current()
leakChecked(t)

class Peer implements api.PacketHandler {
  readonly end: api.OwnedFd
  readonly socket: api.HubSocket
  readonly log: string[]
  ended = false
  readonly #onText: (text: string) => void

  /** Writes what comes into `log` before `onText` is told of it. */
  constructor(t: Test, log: string[], onText: (text: string) => void = () => undefined) {
    const [mine, end] = api.socketpair(api.constants.SOCK_SEQPACKET)
    this.end = end
    this.log = log
    this.#onText = onText
    this.socket = hub.attach(mine, this, { acceptsFileDescriptors: true })
    t.teardown(() => {
      this.socket.close()
      end.close()
    })
  }

  say(text: string, fds: api.OwnedFd[] = []): void {
    api.sendmsg(this.end, Buffer.from(text), fds)
  }

  onPacket(packet: api.ReceivedPacket): void {
    const { fds } = packet
    const text = textOf(packet)
    this.log.push(`${text}${fds.length > 0 ? ` +${fds.length}` : ''}`)
    this.#onText(text)
    if (textOf(packet) !== text || packet.fds !== fds) this.log.push(`${text} was overwritten`)
    for (const fd of fds) fd.close()
  }

  onEnd(): void {
    this.ended = true
  }

  onWritable(): void {}
}

function textOf({ bytes, start, end }: api.ReceivedPacket): string {
  return bytes.toString('latin1', start, end)
}

async function until(isSo: () => boolean): Promise<void> {
  hub.ref()
  while (!isSo()) await new Promise(setImmediate)
  hub.unref()
}

t.test('an empty turn of the loop inside a handler changes nothing', async (t) => {
  const log: string[] = []
  const peer = new Peer(t, log, () => runLoop(false))
  for (const text of ['a', 'b', 'c']) peer.say(text)
  await until(() => log.length >= 3)
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
  t.strictSame(log, ['a', 'b', 'c'])
})

t.test('packets that come meanwhile are reported inside, after the rest of the batch, once', async (t) => {
  using memfd = sizedMemfd()
  const log: string[] = []
  const peer = new Peer(t, log, (text) => {
    if (text === 'a') {
      peer.say('d', [memfd])
      for (let turn = 0; turn < 20 && !log.includes('d +1'); turn++) runLoop(false)
      log.push('a is done')
    }
  })
  for (const text of ['a', 'b', 'c']) peer.say(text)
  await until(() => log.includes('a is done'))
  t.strictSame(log, ['a', 'b', 'c', 'd +1', 'a is done'])
})

t.test('a handler waits for another packet of its own batch, and the loop inside does not sleep', async (t) => {
  const log: string[] = []
  const first = new Peer(t, log, () => {
    while (!log.includes('second')) runLoop(true)
    log.push('first is done')
  })
  const second = new Peer(t, log)
  first.say('first')
  second.say('second')
  await until(() => log.includes('first is done'))
  t.strictSame(log, ['first', 'second', 'first is done'])
})

t.test('a handler waits for an answer, as often as it likes', async (t) => {
  const log: string[] = []
  let answers = 0
  const answering = new Peer(t, [], () => {
    answers += 1
  })
  const asking = new Peer(t, log, () => {
    for (let round = 1; round <= 500; round++) {
      answering.say('x'.repeat(5000))
      while (answers < round) runLoop(true)
    }
    log.push('done')
  })
  asking.say('go')
  await until(() => log.includes('done'))
  t.equal(answers, 500)
  t.strictSame(log, ['go', 'done'], 'more than the arena has room for')
})

t.test('batches inside of batches, more than there is room for, lose nothing and tell nothing twice', async (t) => {
  using memfd = sizedMemfd()
  const log: string[] = []
  let depth = 0
  const peer = new Peer(t, log, () => {
    depth += 1
    runLoop(false)
    depth -= 1
  })
  const big = 'x'.repeat(60_000)
  let sent = 0
  const texts: string[] = []
  while (texts.length < 60 || depth > 0) {
    const text = `${sent++} ${big}`
    texts.push(text)
    peer.say(text, [memfd])
    if (sent % 3 === 0) await new Promise(setImmediate)
  }
  await until(() => log.length >= texts.length)
  t.equal(log.length, texts.length)
  t.ok(
    log.every((line, i) => line === `${texts[i]} +1`),
    'in order, with what came with them',
  )
})

t.test('a deep nest fills the arena; the rest waits until it is over', async (t) => {
  const log: string[] = []
  let deepest = 0
  let depth = 0
  const peers: Peer[] = []
  const onText = (text: string) => {
    depth += 1
    deepest = Math.max(deepest, depth)
    const next = peers[Number.parseInt(text, 10) + 1]
    next?.say(`${Number.parseInt(text, 10) + 1} ${'x'.repeat(60_000)}`)
    for (let turn = 0; turn < 3; turn++) runLoop(false)
    depth -= 1
  }
  for (let i = 0; i < 30; i++) peers.push(new Peer(t, log, onText))
  peers[0]?.say(`0 ${'x'.repeat(60_000)}`)
  await until(() => log.length >= 30)
  t.ok(deepest > 10, `${deepest} deep`)
  t.strictSame(
    log.map((line) => Number.parseInt(line, 10)),
    peers.map((_, i) => i),
  )
})

t.test(
  'a socket that is closed inside is told nothing more, and who comes after it not what was meant for it',
  async (t) => {
    const log: string[] = []
    // First: what is ready for the first time comes in the order in which it was attached.
    const peer = new Peer(t, log, () => {
      closing.socket.close()
      runLoop(false)
      const other = new Peer(t, log)
      other.say('for the new one')
      for (let turn = 0; turn < 5; turn++) runLoop(false)
    })
    const closing = new Peer(t, log)
    peer.say('close')
    closing.say('too late')
    await until(() => log.length >= 2)
    t.strictSame(log, ['close', 'for the new one'])
  },
)

t.test('the end of a connection is told inside, once', async (t) => {
  const log: string[] = []
  const ending = new Peer(t, log)
  const peer = new Peer(t, log, () => {
    ending.say('last words')
    ending.end.close()
    while (!ending.ended) runLoop(true)
  })
  peer.say('go')
  await until(() => ending.ended)
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
  t.strictSame(log, ['go', 'last words'])
})
