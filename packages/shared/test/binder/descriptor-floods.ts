/**
 * A service that floods its client with descriptors: in answers, in calls of callbacks, in what is nobody's. The client
 * has a bounded number of them at any time, keeps none, and goes on with its other channels, which get theirs.
 */
import { constants, getrlimit, type OwnedFd, SyscallError, setrlimit } from 'memfd-native'
import t, { type Test } from 'tap'
import { type IBinder, type Parcel, ParcelFileDescriptor } from '../../src/index.ts'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)
support.watchdog(t)

const MOST = 253
/** So many packets are sent at once, if the queue takes them. */
const BURST = 64
/** Of one channel in one batch: those of the packet that goes beyond 64. */
const MOST_IN_A_BATCH = 64 + MOST

/** Packets of so many descriptors each, as many as the kernel takes. @returns how many it took */
function flood(peer: support.RawPeer, packet: Buffer, fds: readonly OwnedFd[], count = BURST): number {
  for (let sent = 0; sent < count; sent++) {
    try {
      peer.send(packet, fds)
    } catch (error) {
      if (error instanceof SyscallError && ['EAGAIN', 'ETOOMANYREFS'].includes(error.code)) return sent
      throw error
    }
  }
  return count
}

/** A message with so many descriptors. */
function withDescriptors(fields: Parameters<typeof support.message>[0], count: number): Buffer {
  const objects = Array.from({ length: count }, (_, i) => ({ offset: 24 * i, type: support.DESCRIPTOR, number: i }))
  const counts = { dataSize: 24 * count, objectCount: count, descriptorCount: count }
  return support.message({ ...fields, ...counts }, support.body(24 * count, objects))
}

/** A service that answers a descriptor, by a channel of its own, and what a call of it comes to. */
function bystander(t: Test): () => Promise<void> {
  const pfd = ParcelFileDescriptor.fromData(Buffer.from('content'), 'region') as ParcelFileDescriptor
  t.teardown(() => pfd.close())
  const answer = (_data: Parcel, reply: Parcel) => reply.writeFileDescriptor(pfd.getFileDescriptor())
  const { proxy } = support.sessionPair(t, new support.ScriptedBinder({ 1: answer }))
  return async () => {
    const received = await support.call(proxy, 1, { read: (reply) => reply.readFileDescriptor() })
    t.equal(support.identityOf(received?.getFd() ?? -1), support.identityOf(pfd.getFd()))
    received?.close()
  }
}

/** A client of a service made of bytes, which has got a callback of the client's: its object 1. */
async function clientWithCallback(t: Test, callback: IBinder) {
  const server = support.rawServer(t, { peerAcceptsFileDescriptors: true })
  void support.call(server.proxy, 1, { write: (data) => data.writeStrongBinder(callback) }).catch(() => undefined)
  await server.peer.receiveMessages(2) // HELLO, and the call, which is never answered
  return server
}

/** The most descriptors that this process has while it serves what has come. */
async function mostWhile(work: () => Promise<void>): Promise<number> {
  let most = 0
  let isOver = false
  const over = work().finally(() => {
    isOver = true
  })
  while (!isOver) {
    most = Math.max(most, support.openDescriptors().length)
    await new Promise(setImmediate)
  }
  await over
  return most
}

const NOBODYS: Record<string, Parameters<typeof support.message>[0]> = {
  'an object that is none': { kind: support.TRANSACTION, object: 99, flags: support.ONEWAY },
  'object 0, which a client has not': { kind: support.TRANSACTION, object: 0, flags: support.ONEWAY },
  'a callback that accepts none': { kind: support.TRANSACTION, object: 1, flags: support.ONEWAY, code: 1 },
}

for (const [what, fields] of Object.entries(NOBODYS)) {
  t.test(`descriptors for ${what} are closed as they come, packet after packet`, async (t) => {
    const useOther = bystander(t)
    const callback = new support.ScriptedBinder({ 1: () => t.fail('called') })
    const { peer, client } = await clientWithCallback(t, callback)
    const fds = support.regions(t, MOST)
    const before = support.openDescriptors().length
    const most = await mostWhile(async () => {
      for (let round = 0; round < 4; round++) {
        t.ok(flood(peer, withDescriptors(fields, MOST), fds) > 0)
        await useOther()
      }
    })
    t.ok(most <= before + 2 * MOST_IN_A_BATCH, `${most - before} more than before`)
    t.equal(client.isEnded, false, 'it was refused, and no more')
  })
}

t.test('descriptors of calls that a callback does not finish have a limit; the others are refused', async (t) => {
  const useOther = bystander(t)
  const finish: (() => void)[] = []
  const callback = new support.ScriptedBinder(
    { 1: () => new Promise<void>((resolve) => finish.push(resolve)) },
    { acceptFileDescriptors: true },
  )
  const { peer, client } = await clientWithCallback(t, callback)
  const fds = support.regions(t, MOST)
  const before = support.openDescriptors().length
  const { limit } = support.CHANNEL_LIMITS.heldDescriptors
  const CALLS = 12
  for (let id = 1; id <= CALLS; id++) {
    peer.send(withDescriptors({ kind: support.TRANSACTION, id, object: 1, code: 1 }, MOST), fds)
    await useOther()
  }
  const served = Math.floor(limit / MOST)
  const refused = await peer.receiveMessages(CALLS - served)
  for (const answer of refused) t.match(answer, { kind: support.FAILURE, code: support.STATUS_LIMIT })
  t.equal(finish.length, served)
  t.ok(support.openDescriptors().length <= before + limit)
  for (const each of finish) each()
  await peer.receiveMessages(served)
  t.equal(support.openDescriptors().length, before, 'all of them are closed')
  peer.send(withDescriptors({ kind: support.TRANSACTION, id: 99, object: 1, code: 1 }, MOST), fds)
  while (finish.length === served) await useOther()
  t.equal(client.isEnded, false, 'and there is room again')
  finish.at(-1)?.()
  await peer.receiveMessages(1)
})

t.test('oneway calls that are not finished reach the same limit: the channel ends, and no other', async (t) => {
  const useOther = bystander(t)
  const finish: (() => void)[] = []
  const callback = new support.ScriptedBinder(
    { 1: () => new Promise<void>((resolve) => finish.push(resolve)) },
    { acceptFileDescriptors: true },
  )
  const { peer, ended } = await clientWithCallback(t, callback)
  const fds = support.regions(t, MOST)
  flood(peer, withDescriptors({ kind: support.TRANSACTION, object: 1, code: 1, flags: support.ONEWAY }, MOST), fds, 4)
  t.type(await ended(), support.Violation)
  await useOther()
  finish[0]?.() // what has begun keeps its parcel
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
  t.equal(finish.length, 2, 'the other one of the two begins: nobody is told of what it does')
  finish[1]?.()
})

t.test('answers that nobody waits for end their channel, with whatever came behind them', async (t) => {
  const useOther = bystander(t)
  const { peer, ended } = await clientWithCallback(t, new support.ScriptedBinder())
  const fds = support.regions(t, MOST)
  flood(peer, withDescriptors({ kind: support.REPLY, id: 77 }, MOST), fds)
  t.type(await ended(), support.Violation)
  await useOther()
})

t.test('bodies that are never finished keep one packet of descriptors for each channel', async (t) => {
  const useOther = bystander(t)
  const fds = support.regions(t, MOST)
  const half = withDescriptors({ kind: support.TRANSACTION, id: 1, object: 1, code: 1 }, MOST)
  half.writeUInt32LE(half.readUInt32LE(16) + 24, 16) // more data is said to come
  const before = support.openDescriptors().length
  const servers = [1, 2].map(() => support.rawServer(t, { peerAcceptsFileDescriptors: true }))
  for (const { peer } of servers) {
    await peer.receiveMessages(1)
    peer.send(half, fds)
  }
  await useOther()
  t.ok(support.openDescriptors().length <= before + 4 + 2 * MOST)
  for (const { peer, ended } of servers) {
    flood(peer, half, fds) // before it is over
    t.type(await ended(), support.Violation)
  }
  await useOther()
})

/** A limit for numbers of descriptors that leaves so many free ones, and the last 24. */
function limitWith(free: number): number {
  const open = new Set(support.openDescriptors().map((line) => Number(line.split(' ')[1])))
  let number = 0
  for (let left = free; left > 0; number++) if (!open.has(number)) left -= 1
  return number + 24
}

t.test('a peer that takes all numbers but the last in one batch leaves some for the others', async (t) => {
  const { soft, hard } = getrlimit(constants.RLIMIT_NOFILE)
  const fds = support.regions(t, MOST)
  const other = support.rawServer(t, { peerAcceptsFileDescriptors: true })
  await other.peer.receiveMessages(1)
  t.teardown(() => setrlimit(constants.RLIMIT_NOFILE, { soft, hard }))
  const fields = { kind: support.TRANSACTION, object: 99, flags: support.ONEWAY }
  for (let round = 0; round < 5; round++) {
    const flooder = await clientWithCallback(t, new support.ScriptedBinder())
    const received = support.call(other.proxy, 1, { read: (reply) => reply.readFileDescriptor() })
    const [request] = await other.peer.receiveMessages(1)
    const reply = withDescriptors({ kind: support.REPLY, id: request?.id ?? 0 }, 1)
    // However many are free: these take every number up to the reserve.
    for (const count of [MOST, MOST, 128, 64, 32, 16, 8, 4, 2, 1, 1, 1]) {
      flood(flooder.peer, withDescriptors(fields, count), fds.slice(0, count), 1)
    }
    flooder.peer.close() // of a socket that has ended all that is left is asked for at once
    other.peer.send(reply, fds.slice(0, 1)) // in the same batch, behind all that
    // Room for what one channel gets in a batch, for a few more, and for the last numbers, which are nobody's.
    setrlimit(constants.RLIMIT_NOFILE, { soft: limitWith(MOST_IN_A_BATCH + 8 + round), hard })
    const fd = await received
    t.equal(support.identityOf(fd?.getFd() ?? -1), support.identityOf(fds[0] as OwnedFd))
    fd?.close()
    const reason = await flooder.ended()
    t.notMatch(reason.message, /lost/, 'it had room, too: one packet after the other')
    setrlimit(constants.RLIMIT_NOFILE, { soft, hard })
  }
})
