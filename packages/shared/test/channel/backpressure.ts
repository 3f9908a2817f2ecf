/**
 * A peer that does not read. Sending never blocks, never queues without bound, and keeps its order: calls are refused
 * with ERR_LIMIT, and whoever leaves answers unread loses the channel.
 */
import { sendmsg, shutdown } from 'memfd-native'
import t, { type Test } from 'tap'
import { LimitError } from '../../src/index.ts'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)
support.watchdog(t)

const MIB = 1024 * 1024
/** shutdown(2) */
const SHUT_RD = 0

t.test('a oneway flood that nobody reads ends in ERR_LIMIT, and goes on when it is read, in order', async (t) => {
  const { channel, recorder, peer } = await support.recordedClient(t)
  const flood = (code: number) => channel.callOneway(0, code, new support.OutgoingBody(Buffer.alloc(1000)))
  let sent = 0
  while (sent < 100_000 && support.outcome(() => flood(sent + 1)) === undefined) sent += 1
  t.ok(channel.queuedBytes >= MIB && channel.queuedBytes < MIB + 65_536, `${channel.queuedBytes} bytes wait`)
  const refusal = { code: 'ERR_LIMIT', resource: 'bytes queued on a channel', limit: MIB, used: channel.queuedBytes }
  t.throws(() => flood(0), refusal)

  const received = await peer.receiveMessages(sent)
  t.strictSame(
    received.map(({ code }) => code),
    Array.from({ length: sent }, (_, i) => i + 1),
  )
  t.equal(channel.queuedBytes, 0)
  flood(7)
  t.match(await peer.receiveMessages(1), [{ code: 7 }])
  t.equal(recorder.ends.length, 0)
})

t.test('at exactly 1 MiB nothing more is let in', async (t) => {
  const { channel } = await support.recordedClient(t)
  const packet = new support.OutgoingBody(Buffer.alloc(65_536 - support.HEADER_BYTES))
  while (channel.queuedBytes < MIB) channel.callOneway(0, 1, packet)
  t.equal(channel.queuedBytes, MIB)
  t.throws(() => channel.callOneway(0, 1, support.OutgoingBody.EMPTY), { code: 'ERR_LIMIT', limit: MIB, used: MIB })
  t.equal(channel.queuedBytes, MIB)
})

t.test('the longest parcel passes an empty queue whole, and a second one finds it full', async (t) => {
  const { channel, peer } = await support.recordedClient(t)
  const whole = new support.OutgoingBody(Buffer.alloc(1_040_384, 7))
  channel.callOneway(0, 1, whole)
  channel.callOneway(0, 2, whole) // what the kernel took of the first left room
  t.throws(() => channel.callOneway(0, 3, whole), { code: 'ERR_LIMIT' })
  const parts = await peer.receiveMessages(32)
  t.strictSame(
    parts.filter(({ kind }) => kind !== support.CONTINUATION).map(({ code }) => code),
    [1, 2],
  )
  t.ok(parts.every(({ body }) => body.every((byte) => byte === 7)))
})

t.test('the 1,025th call without an answer is refused, and room comes with an answer', async (t) => {
  const { channel, peer } = await support.recordedClient(t)
  const call = () => support.callObject(channel, 0, 1, support.OutgoingBody.EMPTY)
  const answers = Array.from({ length: 1024 }, call)
  t.throws(call, { code: 'ERR_LIMIT', resource: 'calls pending on a channel', limit: 1024, used: 1024 })
  t.equal(channel.pendingCalls, 1024)
  const requests = await peer.receiveMessages(1024)
  peer.send(support.message({ kind: support.REPLY, id: requests[5]?.id ?? 0 }))
  await answers[5]
  answers.push(call())
  t.throws(call, { code: 'ERR_LIMIT' })
  channel.close()
  const results = await Promise.allSettled(answers)
  t.equal(results.filter(({ status }) => status === 'rejected').length, 1024)
})

t.test('at the limit of calls, and at that of descriptors that wait, what is neither is sent', async (t) => {
  const calling = await support.recordedClient(t)
  const answers = Array.from({ length: 1024 }, () =>
    support.callObject(calling.channel, 0, 1, support.OutgoingBody.EMPTY),
  )
  calling.channel.callOneway(0, 2, support.OutgoingBody.EMPTY)
  t.match((await calling.peer.receiveMessages(1025)).at(-1), { code: 2, id: 0 })
  calling.channel.close()
  await Promise.allSettled(answers)

  const { channel, peer } = support.recordedServer(t)
  const send = sender(t, channel)
  let sent = 0
  while (support.outcome(send) === undefined) sent += 1
  t.throws(send, { code: 'ERR_LIMIT', resource: 'descriptors queued on a channel' })
  channel.callOneway(0, 2, support.OutgoingBody.EMPTY)
  await takeDescriptors(peer, sent)
  t.match(await peer.receiveMessages(1), [{ code: 2 }])
  send()
  await takeDescriptors(peer, 1)
})

t.test('descriptors that wait are duplicates, at most 256 of them, and arrive as what they were', async (t) => {
  const { channel, peer } = support.recordedServer(t)
  const [first, second] = support.regions(t, 2)
  const objects = [{ offset: 0, type: support.DESCRIPTOR, number: 0, acceptsFileDescriptors: false }]
  const send = (code: number, fd: number) =>
    channel.callOneway(0, code, new support.OutgoingBody(Buffer.alloc(24), objects, [fd]))
  let sent = 0
  while (channel.queuedBytes === 0) send(++sent, first?.fd ?? -1)
  const waiting = 1 + 255
  while (sent < 10_000 && support.outcome(() => send(sent + 1, second?.fd ?? -1)) === undefined) sent += 1
  t.throws(() => send(0, second?.fd ?? -1), { code: 'ERR_LIMIT', resource: 'descriptors queued on a channel' })
  const identities = [support.identityOf(first?.fd ?? -1), support.identityOf(second?.fd ?? -1)]
  first?.close()
  second?.close()
  const seen: string[] = []
  for (let i = 0; i < sent; i++) {
    const received = await peer.receive()
    for (const fd of received?.fds ?? []) {
      seen.push(support.identityOf(fd))
      fd.close()
    }
  }
  t.equal(seen.length, sent)
  t.strictSame([seen[0], seen.at(-1)], identities)
  t.equal(seen.filter((identity) => identity === identities[1]).length, waiting - 1)
})

t.test('waiting messages with descriptors are given back when the channel ends', async (t) => {
  const { channel, recorder, peer } = support.recordedServer(t)
  const [fd] = support.regions(t, 1)
  const objects = [{ offset: 0, type: support.DESCRIPTOR, number: 0, acceptsFileDescriptors: false }]
  while (channel.queuedBytes === 0) {
    channel.callOneway(0, 1, new support.OutgoingBody(Buffer.alloc(24), objects, [fd?.fd ?? -1]))
  }
  peer.close()
  await recorder.ended()
  t.equal(channel.queuedBytes, 0)
})

t.test(
  'descriptors that wait are paid for, one by one, and refunded when they leave or the channel ends',
  async (t) => {
    const { channel, recorder, peer } = support.recordedServer(t)
    const budget = new Budget('heldDescriptors', 3)
    channel.chargeTo(budget)
    const [fd] = support.regions(t, 1)
    const objects = [{ offset: 0, type: support.DESCRIPTOR, number: 0, acceptsFileDescriptors: false }]
    const send = () => channel.callOneway(0, 1, new support.OutgoingBody(Buffer.alloc(24), objects, [fd?.fd ?? -1]))
    let sent = 0
    while (support.outcome(send) === undefined) sent += 1
    t.throws(send, { code: 'ERR_LIMIT', resource: 'a budget' })
    t.equal(budget.used, 3, 'what the kernel took costs nothing')
    for (let i = 0; i < sent; i++) for (const received of (await peer.receive())?.fds ?? []) received.close()
    t.equal(budget.used, 0)

    while (support.outcome(send) === undefined) sent += 1
    t.equal(budget.used, 3)
    peer.close()
    await recorder.ended()
    t.equal(budget.used, 0)
  },
)

t.test('descriptors that are not read are paid for; beyond the budget they wait, until they are', async (t) => {
  const budget = new Budget('unreadDescriptors', 3)
  const [stopped, other] = [support.recordedServer(t), support.recordedServer(t)]
  for (const { channel } of [stopped, other]) channel.chargeTo(budget)
  const send = sender(t, stopped.channel)
  for (let i = 0; i < 5; i++) send()
  t.equal(budget.used, 3)
  t.ok(stopped.channel.queuedBytes > 0, 'the others wait')
  sender(t, other.channel)()
  t.ok(other.channel.queuedBytes > 0, 'who shares the budget waits too')

  await takeDescriptors(stopped.peer, 5)
  await takeDescriptors(other.peer, 1)
  t.equal(stopped.channel.queuedBytes, 0)
  for (let i = 0; i < 9; i++) {
    send()
    await takeDescriptors(stopped.peer, 1)
  }
  t.ok(budget.used <= 2, 'what was read costs nothing, but for what was sent last on each channel')
})

t.test(
  'an answer whose descriptors may not go because others of the user read none is told the limit in the end',
  async (t) => {
    const budget = new Budget('unreadDescriptors', 2)
    const [stopped, other] = [support.recordedServer(t), support.recordedServer(t)]
    for (const { channel } of [stopped, other]) channel.chargeTo(budget)
    const send = sender(t, stopped.channel)
    for (let i = 0; i < 2; i++) send()
    const { channel, peer, recorder } = other
    for (const id of [5, 6]) peer.send(support.message({ kind: support.TRANSACTION, id, code: 1 }))
    await recorder.calledTimes(2)
    channel.reply(5, withDescriptor(t))
    channel.reply(6, support.OutgoingBody.EMPTY)
    t.ok(channel.queuedBytes > 0, 'it waits, and what comes after it')
    t.match(await peer.receiveMessages(2), [
      { kind: support.FAILURE, id: 5, code: support.STATUS_LIMIT },
      { kind: support.REPLY, id: 6 },
    ])
    t.equal(channel.queuedBytes, 0)
    await takeDescriptors(stopped.peer, 2)
    peer.send(support.message({ kind: support.TRANSACTION, id: 7, code: 1 }))
    await recorder.calledTimes(3)
    channel.reply(7, withDescriptor(t))
    await takeDescriptors(peer, 1)
    t.equal(recorder.ends.length, 0)
  },
)

t.test('a channel that ends leaves what is unread to its budget until the peer has read it', async (t) => {
  const budget = new Budget('unreadDescriptors', 10)
  const { channel, peer } = support.recordedServer(t)
  channel.chargeTo(budget)
  const send = sender(t, channel)
  for (let i = 0; i < 4; i++) send()
  channel.close()
  t.equal(budget.used, 4, 'they are in the queue of the peer')
  await takeDescriptors(peer, 3)
  t.equal(budget.used, 4, 'the kernel tells only when nothing is left')
  await takeDescriptors(peer, 1)
  t.equal(await peer.receive(), null, 'and then the end')
  while (budget.used > 0) await new Promise(setImmediate)
})

t.test('a peer that reads no more, but has read nothing and is still there, can end its channel', async (t) => {
  const { client, server } = support.makeChannelPair(false)
  const recorder = new support.Recorder()
  const channel = new support.Channel(server, recorder, { role: 'server', acceptsFileDescriptors: false })
  t.teardown(() => channel.close())
  using peer = client
  const budget = new Budget('unreadDescriptors', 10)
  channel.chargeTo(budget)
  sendmsg(peer, support.message({ kind: support.HELLO, code: 1 }))
  const send = sender(t, channel)
  send()
  shutdown(peer, SHUT_RD)
  send()
  t.equal(channel.isEnded, false, 'what it sent before may still be there')
  peer.close()
  await recorder.ended()
  t.equal(budget.used, 0)
})

t.test('a peer that goes without having read owes nothing', async (t) => {
  const budget = new Budget('unreadDescriptors', 10)
  const { channel, recorder, peer } = support.recordedServer(t)
  channel.chargeTo(budget)
  const send = sender(t, channel)
  for (let i = 0; i < 4; i++) send()
  peer.close()
  await recorder.ended()
  t.equal(budget.used, 0)
})

/** Sends a descriptor each time. */
function sender(t: Test, channel: support.Channel): () => void {
  const body = withDescriptor(t)
  return () => channel.callOneway(0, 1, body)
}

function withDescriptor(t: Test): support.OutgoingBody {
  const [fd] = support.regions(t, 1)
  const objects = [{ offset: 0, type: support.DESCRIPTOR, number: 0, acceptsFileDescriptors: false }]
  return new support.OutgoingBody(Buffer.alloc(24), objects, [fd?.fd ?? -1])
}

async function takeDescriptors(peer: support.RawPeer, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const { fds } = (await peer.receive()) as support.Packet
    for (const fd of fds) fd.close()
  }
}

t.test('bytes that wait are paid for in blocks of 64 KiB; beyond the budget nothing waits', async (t) => {
  const { channel, recorder, peer } = support.recordedServer(t)
  const budget = new Budget('heldBlocks', 2)
  channel.chargeTo(budget)
  const send = () => channel.callOneway(0, 1, new support.OutgoingBody(Buffer.alloc(60_000)))
  while (support.outcome(send) === undefined);
  t.throws(send, { code: 'ERR_LIMIT', resource: 'a budget' })
  t.equal(budget.used, 2)
  const waiting = channel.queuedBytes
  t.ok(waiting > 0 && waiting < 3 * 65_536, `${waiting} bytes wait`)
  peer.close()
  await recorder.ended()
  t.equal(budget.used, 0)
})

t.test('the parts of a body are paid for while the rest is missing; beyond the budget the channel ends', async (t) => {
  for (const blocks of [16, 15]) {
    const { channel, recorder, peer } = support.recordedServer(t)
    const budget = new Budget('heldBlocks', blocks)
    channel.chargeTo(budget)
    const rest = support.message({ kind: support.CONTINUATION, id: 1, dataSize: 0 }, Buffer.alloc(60_000))
    const send = (packet: Buffer) => peer.offer(packet).catch(() => undefined) // the channel may have ended
    await send(
      support.message(
        { kind: support.TRANSACTION, id: 1, code: 1, dataSize: support.MAX_DATA_BYTES },
        Buffer.alloc(60_000),
      ),
    )
    for (let at = 60_000; at < support.MAX_DATA_BYTES - 60_000; at += 60_000) await send(rest)
    if (blocks === 16) {
      await send(
        support.message(
          { kind: support.CONTINUATION, id: 1, dataSize: 0 },
          Buffer.alloc(support.MAX_DATA_BYTES % 60_000),
        ),
      )
      await recorder.calledTimes(1)
      t.equal(budget.used, 0, 'whole, it is its receiver’s')
    } else t.match(await recorder.ended(), { cause: { code: 'ERR_LIMIT', resource: 'a budget' } })
    t.equal(budget.used, 0)
  }
})

t.test('a message that cannot wait because descriptors are lacking is not paid for', async (t) => {
  const { channel } = support.recordedServer(t)
  const budget = new Budget('heldDescriptors', 300)
  channel.chargeTo(budget)
  const [fd] = support.regions(t, 1)
  const objects = [0, 1].map((number) => ({
    offset: 24 * number,
    type: support.DESCRIPTOR,
    number,
    acceptsFileDescriptors: false,
  }))
  const send = (second: number) =>
    channel.callOneway(0, 1, new support.OutgoingBody(Buffer.alloc(48), objects, [fd?.fd ?? -1, second]))
  while (channel.queuedBytes === 0) send(fd?.fd ?? -1)
  t.equal(budget.used, 2)
  t.throws(() => send(-1), { code: 'EBADF' })
  t.equal(budget.used, 2)
})

t.test('if a message cannot wait because descriptors are lacking, its bytes are not paid for either', async (t) => {
  const { channel } = support.recordedServer(t)
  const budget = new Budget('heldBlocks', 300)
  channel.chargeTo(budget)
  while (channel.queuedBytes === 0) channel.callOneway(0, 1, new support.OutgoingBody(Buffer.alloc(1000)))
  const objects = [{ offset: 0, type: support.DESCRIPTOR, number: 0, acceptsFileDescriptors: false }]
  const send = () => channel.callOneway(0, 1, new support.OutgoingBody(Buffer.alloc(60_000), objects, [-1]))
  const before = budget.used
  for (let i = 0; i < 5; i++) t.throws(send, { code: 'EBADF' })
  t.equal(budget.used, before)
})

t.test('a descriptor that the kernel did not take is not paid for as one that it did', async (t) => {
  const { channel } = support.recordedServer(t)
  const budget = new Budget('unreadDescriptors', 100_000)
  channel.chargeTo(budget)
  const send = sender(t, channel)
  let sent = 0
  for (; channel.queuedBytes === 0; sent++) send()
  t.equal(budget.used, sent - 1, 'the last one waits')
})

t.test('a call that can neither leave nor wait is not pending', async (t) => {
  const { channel } = await support.recordedClient(t)
  stuck(channel)
  t.throws(() => support.callObject(channel, 0, 1, new support.OutgoingBody(Buffer.alloc(5000))), { code: 'ERR_LIMIT' })
  t.equal(channel.pendingCalls, 0)
  t.equal(channel.isEnded, false)
})

t.test('a peer that does not read its answers loses the channel', async (t) => {
  const { channel, recorder, peer } = support.recordedServer(t)
  const answer = new support.OutgoingBody(Buffer.alloc(60_000))
  peer.send(
    support.packet(
      ...Array.from({ length: 100 }, (_, i) => support.message({ kind: support.TRANSACTION, id: i + 1, code: 1 })),
    ),
  )
  await recorder.calledTimes(100)
  for (let id = 1; id <= 100 && !channel.isEnded; id++) channel.reply(id, answer)
  t.type(await recorder.ended(), support.Violation)
  t.match(recorder.ends[0], { cause: { code: 'ERR_LIMIT', resource: 'bytes queued on a channel' } })
})

t.test('a peer that does not read its failures, or its releases, loses the channel too', async (t) => {
  const failing = support.recordedServer(t)
  const ids = Array.from({ length: 2048 }, (_, i) => i + 1)
  failing.peer.send(support.packet(...ids.map((id) => support.message({ kind: support.TRANSACTION, id, code: 1 }))))
  await failing.recorder.calledTimes(2048)
  for (const id of ids) failing.channel.fail(id, support.STATUS_LIMIT, new support.OutgoingBody(Buffer.alloc(1000)))
  t.type(await failing.recorder.ended(), support.Violation)

  const releasing = support.recordedServer(t)
  for (let i = 0; i < 100_000 && !releasing.channel.isEnded; i++) releasing.channel.release([{ object: i, count: 1 }])
  t.type(await releasing.recorder.ended(), support.Violation)
})

/** Nothing more can be sent to its peer, and nothing that is longer than what is free can wait. */
function stuck(channel: support.Channel): void {
  channel.chargeTo(new Budget('heldBlocks', 0))
  const body = new support.OutgoingBody(Buffer.alloc(5000))
  while (support.outcome(() => channel.callOneway(0, 1, body)) === undefined);
}

/** An answer waits for another one, to share a packet that can neither leave nor wait. */
async function owingAnswer(t: Test): Promise<ReturnType<typeof support.recordedServer>> {
  const server = support.recordedServer(t)
  stuck(server.channel)
  server.peer.send(support.packet(...[1, 2].map((id) => support.message({ kind: support.TRANSACTION, id, code: 1 }))))
  await server.recorder.calledTimes(2)
  server.channel.reply(1, new support.OutgoingBody(Buffer.alloc(5000)))
  return server
}

t.test('answers that share a packet, and can neither leave nor wait, end the channel and nothing else', async (t) => {
  const { recorder } = await owingAnswer(t)
  t.type(await recorder.ended(), support.Violation)
  t.match(recorder.ends[0], { cause: { code: 'ERR_LIMIT', resource: 'a budget' } })
})

t.test('calls that share a packet, and can neither leave nor wait, fail, all of them', async (t) => {
  const { channel } = await support.recordedClient(t)
  stuck(channel)
  const call = async (size: number) => support.callObject(channel, 0, 1, new support.OutgoingBody(Buffer.alloc(size)))
  const calls = [call(0), ...Array.from({ length: 40 }, () => call(200))]
  for (const { status, ...rest } of await Promise.allSettled(calls)) {
    t.equal(status, 'rejected')
    t.match(rest, { reason: { code: 'ERR_DEAD_OBJECT' } })
  }
  t.equal(channel.isEnded, true)
})

t.test('a channel that is closed ends, also where what was said cannot leave', async (t) => {
  const { channel, recorder } = await owingAnswer(t)
  t.equal(channel.isEnded, false, 'it waits for the other')
  channel.close()
  await recorder.ended()
  t.equal(recorder.ends.length, 1)
})

t.test('a message with a long body leaves behind those that share a packet', async (t) => {
  const { channel, recorder, peer } = support.recordedServer(t)
  peer.send(support.packet(...[1, 2, 3].map((id) => support.message({ kind: support.TRANSACTION, id, code: 1 }))))
  await recorder.calledTimes(3)
  channel.reply(1, support.OutgoingBody.EMPTY)
  channel.reply(2, new support.OutgoingBody(Buffer.alloc(60_000)))
  channel.reply(3, new support.OutgoingBody(Buffer.alloc(100_000)))
  const received = await peer.receiveMessages(4)
  t.strictSame(
    received.map(({ id }) => id),
    [1, 2, 3, 3],
  )
})

t.test('releases share packets', async (t) => {
  const { channel, peer } = support.recordedServer(t)
  for (let object = 1; object <= 30; object++) channel.release([{ object, count: 2 }])
  const received = await peer.receive()
  t.equal(received?.messages.length, 30)
  t.match(received?.messages[29], { kind: support.RELEASE, id: 0, object: 30, code: 2, dataSize: 0 })
})

t.test('one channel that is not read does not stop another', async (t) => {
  const stuck = await support.recordedClient(t)
  while (stuck.channel.queuedBytes < MIB) stuck.channel.callOneway(0, 1, new support.OutgoingBody(Buffer.alloc(60_000)))
  const { channel, peer } = await support.recordedClient(t)
  const answer = support.callObject(channel, 0, 1, support.OutgoingBody.EMPTY)
  const [request] = await peer.receiveMessages(1)
  peer.send(support.message({ kind: support.REPLY, id: request?.id ?? 0 }))
  t.match(await answer, { status: 0 })
  t.equal(stuck.channel.isEnded, false)
})

class Budget implements support.ChannelBudget {
  readonly #what: 'heldBlocks' | 'heldDescriptors' | 'unreadDescriptors'
  readonly #limit: number
  used = 0

  constructor(what: 'heldBlocks' | 'heldDescriptors' | 'unreadDescriptors', limit: number) {
    this.#what = what
    this.#limit = limit
  }

  carryOver(what: string, count: number): () => void {
    return () => this.refund(what, count)
  }

  charge(what: string, count: number): void {
    if (what !== this.#what) return
    if (this.used + count > this.#limit) throw new LimitError('a budget', this.#limit, this.used)
    this.used += count
  }

  refund(what: string, count: number): void {
    if (what === this.#what) this.used -= count
  }
}
