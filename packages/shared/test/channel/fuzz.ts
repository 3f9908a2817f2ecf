/**
 * Packets that were good once, with bytes changed, cut, doubled and joined, and descriptors that may fit: to servers and
 * clients that live. Whatever comes, a channel goes on or ends; the process, its descriptors and other channels are as
 * before. MEMSVC_SEED repeats a run, MEMSVC_FUZZ_ROUNDS makes it longer.
 */
import { constants, type OwnedFd, socketpair } from 'memfd-native'
import t, { type Test } from 'tap'
import { readHeader, readObjects, Violation } from '../../src/channel/message.ts'
import { Binder, type Parcel } from '../../src/index.ts'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)
support.watchdog(t)

const ROUNDS = Number(process.env.MEMSVC_FUZZ_ROUNDS ?? 3000)
const seeds = [
  ...support.goodPackets,
  ...support.goodPackets,
  ...support.hostilePackets.flatMap(({ packets }) => packets),
]

/** Reads all that can be read, and keeps nothing. */
class Curious extends Binder {
  constructor() {
    super({ acceptFileDescriptors: true })
  }

  override async onTransact(code: number, data: Parcel, reply: Parcel): Promise<boolean> {
    while (data.dataAvail() >= 24) {
      data.readStrongBinder()
      data.setDataPosition(data.dataPosition() - 24)
      data.readFileDescriptor()?.close()
    }
    reply.writeNoException()
    return code !== 2
  }
}

for (const [name, open] of Object.entries({
  server: (t: Test) => support.rawClient(t, new Curious()),
  client: (t: Test) => support.rawServer(t, { root: new Curious(), peerAcceptsFileDescriptors: true }),
})) {
  t.test(`no packet harms a ${name}, or another channel`, async (t) => {
    const random = support.seededRandom(t)
    const bystander = support.sessionPair(t, new Curious())
    const [fd, other] = socketpair(constants.SOCK_SEQPACKET)
    t.teardown(() => other.close())
    let ends = 0
    t.teardown(() => fd.close())
    let { peer, ended } = open(t)
    for (let round = 0; round < ROUNDS; round++) {
      const isOpen = sendSome(peer, random, fd)
      await new Promise(setImmediate) // what was sent is read now
      if (isOpen) continue
      peer.close()
      await ended()
      ends += 1
      ;({ peer, ended } = open(t))
      if (ends % 50 === 0) t.equal(await bystander.proxy.pingBinder(), true, `after ${ends} channels`)
    }
    t.ok(ends > ROUNDS / 50, `${ends} channels ended`)
    t.equal(await bystander.proxy.pingBinder(), true)
  })
}

t.test('the codec reads any bytes, or says that they are a violation', async (t) => {
  const random = support.seededRandom(t)
  let violations = 0
  for (let round = 0; round < 50 * ROUNDS; round++) {
    const bytes = changed(pick(random, seeds), random)
    try {
      const header = readHeader(bytes, 0, bytes.length)
      readObjects(bytes, 32, header, header.descriptorCount)
    } catch (error) {
      // A body that goes on has no table yet; a live channel asks for it later.
      if (!(error instanceof Violation) && !(error instanceof RangeError)) throw error
      violations += 1
    }
  }
  t.ok(violations > ROUNDS, `${violations} violations`)
})

/** Sends a few packets. False: the channel has ended, or is full. */
function sendSome(peer: support.RawPeer, random: support.SeededRandom, fd: OwnedFd): boolean {
  try {
    for (let count = random.int(4); count >= 0; count--) {
      const fds = random.int(8) === 0 ? new Array<OwnedFd>(1 + random.int(3)).fill(fd) : []
      peer.send(changed(pick(random, seeds), random), fds)
    }
    return true
  } catch {
    return false
  }
}

function changed(good: Buffer, random: support.SeededRandom): Buffer {
  const bytes = Buffer.from(good)
  switch (random.int(6)) {
    case 0:
      return bytes
    case 1:
      return bytes.subarray(0, random.int(bytes.length + 1))
    case 2:
      return Buffer.concat([bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8), bytes])
    case 3:
      for (let i = random.int(4); i >= 0 && bytes.length > 0; i--) bytes[random.int(bytes.length)] = random.int(256)
      return bytes
    default:
      return withChangedField(bytes, random)
  }
}

/** One of the header's words, or one behind it, becomes small or extreme. */
function withChangedField(bytes: Buffer, random: support.SeededRandom): Buffer {
  if (bytes.length < 4) return bytes
  const at = 4 * random.int(Math.min(bytes.length >> 2, 24))
  const extremes = [0, 1, 2, 3, 4, 24, 28, 0xffff, 0x10000, 1_040_384, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff]
  bytes.writeUInt32LE(pick(random, extremes), at)
  return bytes
}

function pick<T>(random: support.SeededRandom, list: readonly T[]): T {
  return list[random.int(list.length)] as T
}
