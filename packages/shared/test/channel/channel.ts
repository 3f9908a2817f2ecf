/**
 * One channel against a peer made of bytes: messages that share packets, bodies that need several, answers in any order,
 * descriptors, and the end of it all. What is not allowed is in violations.ts.
 */
import t, { type Test } from 'tap'
import type { Channel, IncomingCall } from '../../src/channel/channel.ts'
import { Violation } from '../../src/channel/message.ts'
import { OutgoingBody } from '../../src/channel/outgoing-body.ts'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)
support.watchdog(t)

const [EAGAIN, EPIPE, EMSGSIZE] = [11, 32, 90]
const MAX_DATA = 1_040_384
/** Bytes of a body that fit into one packet. */
const ROOM = support.PACKET_BYTES - support.HEADER_BYTES

/** Data that shows when a part is missing, doubled, or in the wrong place. */
function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let i = 0; i + 4 <= length; i += 4) bytes.writeUInt32LE(i, i)
  return bytes
}

function call(channel: Channel, data: Buffer = Buffer.alloc(0)): Promise<support.RecordedOutcome> {
  return support.callObject(channel, 1, 2, new OutgoingBody(data))
}

function closeAll(call: IncomingCall): void {
  for (const fd of call.body.fds) fd.close()
}

// --- sharing packets ---

t.test('messages that share a packet are told one by one, in their order', async (t) => {
  const { recorder, peer } = support.recordedServer(t)
  peer.send(
    support.packet(
      support.message({ kind: support.TRANSACTION, id: 1, object: 4, code: 10 }, Buffer.from('abcd')),
      support.message({ kind: support.TRANSACTION, flags: support.ONEWAY, object: 5, code: 11 }),
      support.message({ kind: support.RELEASE, object: 6, code: 2 }),
      support.message({ kind: support.TRANSACTION, id: 2, object: 7, code: 12 }, Buffer.from('0123456789ab')),
    ),
  )
  await recorder.calledTimes(3)
  t.match(recorder.calls, [
    { id: 1, object: 4, code: 10, body: { data: Buffer.from('abcd') } },
    { id: 0, object: 5, code: 11, body: { data: Buffer.alloc(0) } },
    { id: 2, object: 7, code: 12, body: { data: Buffer.from('0123456789ab') } },
  ])
  t.same(recorder.releases, [[6, 2]])
})

t.test('a packet may be full of messages', async (t) => {
  const { recorder, peer } = support.recordedServer(t)
  const count = support.PACKET_BYTES / support.HEADER_BYTES
  const messages = Array.from({ length: count }, (_, i) =>
    support.message({ kind: support.TRANSACTION, id: i + 1, object: i, code: i }),
  )
  peer.send(support.packet(...messages))
  await recorder.calledTimes(count)
  t.equal(count, 2048)
  t.strictSame(
    recorder.calls.map(({ id }) => id),
    Array.from({ length: count }, (_, i) => i + 1),
  )
})

t.test('a message of a channel outlives its packet', async (t) => {
  const { recorder, peer } = support.recordedServer(t)
  peer.send(support.message({ kind: support.TRANSACTION, id: 1, code: 1 }, pattern(400)))
  await recorder.calledTimes(1)
  peer.send(support.message({ kind: support.TRANSACTION, id: 2, code: 1 }, Buffer.alloc(400, 0xff)))
  await recorder.calledTimes(2)
  t.same(recorder.calls[0]?.body.data, pattern(400))
})

t.test('a call on an idle channel leaves before call() returns', async (t) => {
  const { channel, peer } = await support.recordedClient(t)
  const answer = call(channel)
  const [request] = await peer.receiveMessages(1)
  t.match(request, { kind: support.TRANSACTION, object: 1, code: 2, flags: 0 })
  peer.send(support.message({ kind: support.REPLY, id: request?.id ?? 0 }))
  await answer
})

t.test('calls of one turn share packets of up to 32, and all are answered', async (t) => {
  const { channel, peer } = await support.recordedClient(t)
  const answers = Array.from({ length: 100 }, () => call(channel, Buffer.alloc(20)))
  const ids = await receivePacked(t, peer, [1, 32, 32, 32, 3], 'the channel was idle')
  t.equal(new Set(ids).size, 100, 'every call has an id of its own')
  peer.send(support.packet(...ids.map((id) => support.message({ kind: support.REPLY, id }))))
  t.equal((await Promise.all(answers)).length, 100)
})

t.test('after several calls were answered together, the next ones share a packet from the first on', async (t) => {
  const { channel, peer } = await support.recordedClient(t)
  const callThree = async (expected: number[], why: string) => {
    const answers = [1, 2, 3].map(() => call(channel))
    const ids = await receivePacked(t, peer, expected, why)
    peer.send(support.packet(...ids.map((id) => support.message({ kind: support.REPLY, id }))))
    await Promise.all(answers)
  }
  await callThree([1, 2], 'the channel was idle')
  await callThree([3], 'three were pending before')
  for (const expected of ['the last time there were three', 'the last time there was one']) {
    const answer = call(channel)
    const ids = await receivePacked(t, peer, [1], expected)
    peer.send(support.message({ kind: support.REPLY, id: ids[0] ?? 0 }))
    await answer
  }
  await callThree([1, 2], 'one was pending before')
})

t.test('calls that came in one packet are answered in one, though each is served at once', async (t) => {
  const { channel, recorder, peer } = support.recordedServer(t)
  recorder.onCall = ({ id }) => channel.reply(id, OutgoingBody.EMPTY)
  const ids = [1, 2, 3]
  peer.send(support.packet(...ids.map((id) => support.message({ kind: support.TRANSACTION, id, code: 1 }))))
  const answer = await peer.receive()
  t.strictSame(
    answer?.messages.map(({ id }) => id),
    ids,
  )
})

t.test('calls that were received together, in packets of their own, are answered together and in order', async (t) => {
  const { channel, recorder, peer } = support.recordedServer(t)
  recorder.onCall = ({ id }) => channel.reply(id, OutgoingBody.EMPTY)
  const ids = Array.from({ length: 60 }, (_, i) => i + 1)
  // Where handlers are slow, as on a busy machine, no answer waits for another.
  for (let tries = 0; tries < 50; tries++) {
    for (const id of ids) peer.send(support.message({ kind: support.TRANSACTION, id, code: 1 }))
    const packets: number[][] = []
    while (packets.flat().length < ids.length) {
      const { messages = [] } = (await peer.receive()) ?? {}
      packets.push(messages.map(({ id }) => id))
    }
    t.strictSame(packets.flat(), ids)
    if (packets.length < ids.length) return
  }
  t.fail('each was answered by itself')
})

t.test('answers share packets of up to 32: the caller has the first while the others are made', async (t) => {
  const { channel, recorder, peer } = support.recordedServer(t)
  recorder.onCall = ({ id }) => channel.reply(id, OutgoingBody.EMPTY)
  const ids = Array.from({ length: 70 }, (_, i) => i + 1)
  let packets: number[][] = []
  // On a busy machine the user's turn may be over in the middle, and what was answered until then leaves with it.
  for (let tries = 0; packets.length !== 3 && tries < 50; tries++) {
    peer.send(support.packet(...ids.map((id) => support.message({ kind: support.TRANSACTION, id, code: 1 }))))
    packets = []
    while (packets.flat().length < ids.length) {
      const { messages = [] } = (await peer.receive()) ?? {}
      packets.push(messages.map(({ id }) => id))
    }
  }
  t.strictSame(packets, [ids.slice(0, 32), ids.slice(32, 64), ids.slice(64)])
})

t.test('an answer that waits for others to share its packet is sent when the channel is closed', async (t) => {
  const { channel, recorder, peer } = support.recordedServer(t)
  peer.send(
    support.packet(
      support.message({ kind: support.TRANSACTION, id: 1, code: 1 }),
      support.message({ kind: support.TRANSACTION, id: 2, code: 1 }),
    ),
  )
  await recorder.calledTimes(2)
  channel.reply(1, OutgoingBody.EMPTY)
  channel.close()
  t.match(await peer.receiveMessages(1), [{ kind: support.REPLY, id: 1 }])
  t.equal(await peer.receive(), null)
})

// --- bodies in several packets ---

const sizes = [0, 4, ROOM - 4, ROOM, ROOM + 4, 2 * ROOM - 4, 2 * ROOM, 2 * ROOM + 4, MAX_DATA - 4, MAX_DATA]

for (const size of sizes) {
  t.test(`a parcel of ${size} bytes goes out in full packets and comes in whole`, async (t) => {
    const { channel, peer } = await support.recordedClient(t)
    const answer = call(channel, pattern(size))
    const parts = await receiveParts(peer)
    t.equal(parts.length, Math.max(1, Math.ceil(size / ROOM)))
    t.match(parts[0], { kind: support.TRANSACTION, dataSize: size, bodyBytesInPacket: Math.min(size, ROOM) })
    for (const part of parts.slice(1))
      t.match(part, { kind: support.CONTINUATION, id: parts[0]?.id, dataSize: 0, object: 0 })
    t.ok(Buffer.concat(parts.map((part) => part.body)).equals(pattern(size)), 'every byte in its place')

    for (const bytes of split(support.message({ kind: support.REPLY, id: parts[0]?.id ?? 0 }, pattern(size)), ROOM))
      await peer.offer(bytes)
    t.ok((await answer).body.data.equals(pattern(size)))
  })
}

t.test('the object table counts as a part of the body, and may be cut anywhere', async (t) => {
  const { recorder, peer } = support.recordedServer(t)
  for (const here of [23, 24, 25, 47, 48, 49, 50, 54]) {
    const whole = support.body(48, [
      { offset: 0, type: 2, number: 1 },
      { offset: 24, type: 3, number: 2 },
    ])
    peer.send(
      support.message(
        { kind: support.TRANSACTION, id: here, code: 1, dataSize: 48, objectCount: 2, bodyBytesInPacket: here },
        whole.subarray(0, here),
      ),
    )
    peer.send(support.message({ kind: support.CONTINUATION, id: here, dataSize: 0 }, whole.subarray(here)))
  }
  await recorder.calledTimes(8)
  for (const { body } of recorder.calls) {
    t.equal(body.data.length, 48)
    t.match(body.objects, [
      { offset: 0, type: 2, number: 1 },
      { offset: 24, type: 3, number: 2 },
    ])
  }
})

t.test('a body may come in parts of any size, none at first too', async (t) => {
  const random = support.seededRandom(t)
  const { recorder, peer } = support.recordedServer(t)
  for (let round = 1; round <= 20; round++) {
    const size = 4 * (1 + random.int(30_000))
    const whole = pattern(size)
    let at = round === 1 ? 0 : Math.min(random.int(size), ROOM)
    await peer.offer(
      support.message({ kind: support.TRANSACTION, id: round, code: 1, dataSize: size }, whole.subarray(0, at)),
    )
    while (at < size) {
      const part = whole.subarray(at, at + 1 + random.int(ROOM))
      await peer.offer(support.message({ kind: support.CONTINUATION, id: round, dataSize: 0 }, part))
      at += part.length
    }
    await recorder.calledTimes(round)
    t.ok(recorder.calls.at(-1)?.body.data.equals(whole), `${size} bytes`)
  }
})

t.test('a body in single bytes is joined', async (t) => {
  const { recorder, peer } = support.recordedServer(t)
  const whole = pattern(2000)
  peer.send(support.message({ kind: support.TRANSACTION, id: 1, code: 1, dataSize: 2000, bodyBytesInPacket: 0 }))
  for (const byte of whole)
    await peer.offer(support.message({ kind: support.CONTINUATION, id: 1, dataSize: 0 }, Buffer.of(byte)))
  await recorder.calledTimes(1)
  t.ok(recorder.calls[0]?.body.data.equals(whole))
})

t.test('a message follows a split one, also in the same turn', async (t) => {
  const { channel, peer } = await support.recordedClient(t)
  const answers = [call(channel, pattern(ROOM + 8)), call(channel, pattern(8)), call(channel, pattern(ROOM + 4))]
  const kinds = (await peer.receiveMessages(5)).map(({ kind }) => kind)
  t.same(kinds, [
    support.TRANSACTION,
    support.CONTINUATION,
    support.TRANSACTION,
    support.TRANSACTION,
    support.CONTINUATION,
  ])
  channel.close()
  for (const answer of answers) await t.rejects(answer, { code: 'ERR_DEAD_OBJECT' })
})

// --- descriptors ---

for (const count of [1, 2, 253]) {
  t.test(`${count} descriptors arrive, in their order`, async (t) => {
    const { recorder, peer } = support.recordedServer(t, { acceptsFileDescriptors: true })
    const sent = support.regions(t, count)
    peer.send(messageWithFds(count, { bodyBytesInPacket: 28 * count }), sent)
    await recorder.calledTimes(1)
    const [received] = recorder.calls as [support.RecordedCall]
    t.same(received.body.fds.map(support.identityOf), sent.map(support.identityOf))
    closeAll(received)
  })
}

t.test('the descriptors of a split body come with its first packet', async (t) => {
  const { recorder, peer } = support.recordedServer(t, { acceptsFileDescriptors: true })
  const sent = support.regions(t, 3)
  const whole = messageWithFds(3, { bodyBytesInPacket: 10 }).subarray(support.HEADER_BYTES)
  peer.send(messageWithFds(3, { bodyBytesInPacket: 10 }).subarray(0, support.HEADER_BYTES + 10), sent)
  peer.send(support.message({ kind: support.CONTINUATION, id: 1, dataSize: 0 }, whole.subarray(10)))
  await recorder.calledTimes(1)
  const [received] = recorder.calls as [support.RecordedCall]
  t.same(received.body.fds.map(support.identityOf), sent.map(support.identityOf))
  closeAll(received)
})

t.test('a channel sends descriptors with the first packet of a split body, and only borrows them', async (t) => {
  const { channel, peer } = support.recordedServer(t)
  const [fd] = support.regions(t, 1)
  const objects = [{ offset: 0, type: support.DESCRIPTOR, number: 0, acceptsFileDescriptors: false }]
  channel.callOneway(1, 2, new OutgoingBody(Buffer.alloc(2 * ROOM), objects, [fd?.fd ?? -1]))
  const first = await peer.receive()
  t.match(first?.messages, [{ descriptorCount: 1, objectCount: 1 }])
  t.equal(support.identityOf(first?.fds[0]?.fd ?? -1), support.identityOf(fd?.fd ?? -1))
  for (const received of first?.fds ?? []) received.close()
  for (const part of await peer.receiveMessages(2)) t.match(part, { kind: support.CONTINUATION, descriptorCount: 0 })
  t.equal(fd?.isClosed, false)
})

t.test('half a split body and its descriptors are given back when the peer goes', async (t) => {
  const { recorder, peer } = support.recordedServer(t, { acceptsFileDescriptors: true })
  peer.send(messageWithFds(2, { bodyBytesInPacket: 10 }).subarray(0, support.HEADER_BYTES + 10), support.regions(t, 2))
  peer.close()
  t.match(await recorder.ended(), { code: 'ERR_DEAD_OBJECT' })
  t.equal(recorder.calls.length, 0)
})

// --- answers ---

t.test('answers come in any order, and each finds its call', async (t) => {
  const { channel, peer } = await support.recordedClient(t)
  const answers = [1, 2, 3, 4].map(() => call(channel))
  const ids = (await peer.receiveMessages(4)).map(({ id }) => id)
  for (const i of [2, 0, 3, 1])
    peer.send(support.message({ kind: support.REPLY, id: ids[i] ?? 0 }, Buffer.alloc(4 * i)))
  const lengths = (await Promise.all(answers)).map(({ body }) => body.data.length)
  t.same(lengths, [0, 4, 8, 12])
})

t.test('a failure is an answer with a status', async (t) => {
  const { channel, peer } = await support.recordedClient(t)
  const answer = call(channel)
  const [request] = await peer.receiveMessages(1)
  peer.send(support.message({ kind: support.FAILURE, id: request?.id ?? 0, code: 2 }, Buffer.alloc(4)))
  t.match(await answer, { status: 2, body: { data: Buffer.alloc(4) } })
  t.equal(channel.isEnded, false)
})

t.test('an answer to no call, or a second one to the same, is a violation', async (t) => {
  for (const kind of [support.REPLY, support.FAILURE]) {
    for (const again of [false, true]) {
      const { channel, recorder, peer } = await support.recordedClient(t)
      const answer = call(channel)
      const [request] = await peer.receiveMessages(1)
      const id = request?.id ?? 0
      if (again) {
        peer.send(support.message({ kind: support.REPLY, id }))
        await answer
      }
      peer.send(support.message({ kind, id: again ? id : id + 1, code: kind === support.FAILURE ? 1 : 0 }))
      t.type(await recorder.ended(), Violation)
      if (!again) await t.rejects(answer, { code: 'ERR_DEAD_OBJECT' })
    }
  }
})

t.test('a server answers and fails by id', async (t) => {
  const { channel, recorder, peer } = support.recordedServer(t)
  peer.send(support.message({ kind: support.TRANSACTION, id: 77, code: 1 }))
  peer.send(support.message({ kind: support.TRANSACTION, id: 0xffffffff, code: 1 }))
  await recorder.calledTimes(2)
  channel.fail(0xffffffff, 3, new OutgoingBody(Buffer.alloc(4)))
  channel.reply(77, new OutgoingBody(Buffer.alloc(8)))
  t.match(await peer.receiveMessages(2), [
    { kind: support.FAILURE, id: 0xffffffff, code: 3, object: 0, dataSize: 4 },
    { kind: support.REPLY, id: 77, code: 0, object: 0, dataSize: 8 },
  ])
})

// --- the end ---

t.test('calls under way fail when the peer goes, and later ones at once', async (t) => {
  const { channel, recorder, peer } = await support.recordedClient(t)
  const answers = [call(channel), call(channel)]
  peer.close()
  for (const answer of answers) await t.rejects(answer, { code: 'ERR_DEAD_OBJECT' })
  t.equal(recorder.ends.length, 1, 'the end is told once')
  t.throws(() => call(channel), { code: 'ERR_DEAD_OBJECT' })
  t.throws(() => channel.callOneway(1, 2, OutgoingBody.EMPTY), { code: 'ERR_DEAD_OBJECT' })
})

t.test('an answer sent before the peer went is not lost, though more calls were sent to it', async (t) => {
  const { channel, peer } = await support.recordedClient(t)
  const first = call(channel)
  const [request] = await peer.receiveMessages(1)
  const unread = call(channel)
  peer.send(support.message({ kind: support.REPLY, id: request?.id ?? 0 }, Buffer.from('done')))
  peer.close()
  const tooLate = call(channel)
  t.match((await first).body.data, Buffer.from('done'))
  await t.rejects(unread, { code: 'ERR_DEAD_OBJECT' })
  await t.rejects(tooLate, { code: 'ERR_DEAD_OBJECT' })
})

t.test('an answer sent before the peer went is not lost, though it left calls unread', async (t) => {
  const { channel, peer } = await support.recordedClient(t)
  const first = call(channel)
  const [request] = await peer.receiveMessages(1)
  const unread = call(channel)
  await new Promise(setImmediate) // it shares its packet with what else this turn brings
  peer.send(support.message({ kind: support.REPLY, id: request?.id ?? 0 }, Buffer.from('done')))
  peer.close()
  t.match((await first).body.data, Buffer.from('done'))
  await t.rejects(unread, { code: 'ERR_DEAD_OBJECT' })
})

t.test('a farewell ends the channel with what the session makes of it', async (t) => {
  const { channel, recorder, peer } = await support.recordedClient(t)
  const answer = call(channel)
  peer.send(support.message({ kind: support.FAILURE, id: 0, code: 4 }, Buffer.alloc(4)))
  t.match(await recorder.ended(), { message: 'farewell 4' })
  await t.rejects(answer, { message: 'farewell 4' })
})

t.test('after close() nothing comes and nothing goes, and closing again is harmless', async (t) => {
  const { channel, recorder, peer } = support.recordedServer(t)
  peer.send(support.message({ kind: support.TRANSACTION, id: 1, code: 1 }))
  await recorder.calledTimes(1)
  channel.close()
  channel.close()
  channel.reply(1, OutgoingBody.EMPTY)
  channel.fail(1, 1, OutgoingBody.EMPTY)
  channel.release([{ object: 1, count: 1 }])
  t.equal(recorder.ends.length, 1)
  t.equal(await peer.receive(), null)
})

t.test('messages behind the one that made the handler close are not told', async (t) => {
  const { channel, recorder, peer } = support.recordedServer(t)
  const tell = recorder.onTransaction.bind(recorder)
  recorder.onTransaction = (call) => {
    tell(call)
    channel.close()
  }
  peer.send(
    support.packet(
      support.message({ kind: support.TRANSACTION, id: 1, code: 1 }),
      support.message({ kind: support.TRANSACTION, id: 2, code: 1 }),
    ),
  )
  await recorder.ended()
  t.equal(recorder.calls.length, 1)
})

// --- HELLO ---

t.test('a client says HELLO alone and first', async (t) => {
  const { channel, recorder, peer } = support.recordedServer(t, { hello: false })
  peer.sendHello()
  peer.send(support.message({ kind: support.TRANSACTION, id: 1, code: 1 }))
  await recorder.calledTimes(1)
  t.equal(recorder.hellos.length, 1)
  t.match(recorder.hellos[0], { pid: process.pid, uid: process.getuid?.() }, 'with credentials from the kernel')
  t.equal(channel.isEnded, false)
})

t.test('a HELLO of another version is told which one is spoken, however the rest of it looks', async (t) => {
  const garbage = Buffer.alloc(100, 0xff)
  for (const version of [0, 2, 255]) {
    for (const rest of [Buffer.alloc(0), garbage]) {
      const { recorder, peer } = support.recordedServer(t, { hello: false })
      const hello = support.message({ kind: support.HELLO, code: version, version })
      peer.send(rest === garbage ? Buffer.concat([hello.subarray(0, 2), rest]) : hello)
      const [failure] = await peer.receiveMessages(1)
      t.match(failure, { version: 1, kind: support.FAILURE, id: 0, code: 6 })
      t.match(failure?.body.subarray(4).toString('utf16le'), 'version 1')
      t.equal(await peer.receive(), null, 'and the channel ends')
      t.type(await recorder.ended(), Violation)
    }
  }
})

/** Receives packets of so many messages. @returns their ids */
async function receivePacked(t: Test, peer: support.RawPeer, counts: number[], why: string): Promise<number[]> {
  const ids: number[] = []
  for (const count of counts) {
    const { messages = [] } = (await peer.receive()) ?? {}
    t.equal(messages.length, count, why)
    ids.push(...messages.map(({ id }) => id))
  }
  return ids
}

/** The packets of one message. */
async function receiveParts(peer: support.RawPeer): Promise<support.Message[]> {
  const parts = await peer.receiveMessages(1)
  let missing = (parts[0]?.dataSize ?? 0) - (parts[0]?.bodyBytesInPacket ?? 0)
  while (missing > 0) {
    const [part] = await peer.receiveMessages(1)
    if (part === undefined) break
    parts.push(part)
    missing -= part.bodyBytesInPacket
  }
  return parts
}

/** A message as packets with so much of its body each. */
function split(whole: Buffer, room: number): Buffer[] {
  const bytes = whole.subarray(support.HEADER_BYTES)
  const packets = [
    support.message(
      { kind: support.REPLY, id: whole.readUInt32LE(4), dataSize: bytes.length },
      bytes.subarray(0, room),
    ),
  ]
  for (let at = room; at < bytes.length; at += room) {
    packets.push(
      support.message(
        { kind: support.CONTINUATION, id: whole.readUInt32LE(4), dataSize: 0 },
        bytes.subarray(at, at + room),
      ),
    )
  }
  return packets
}

/** A call with so many descriptors, and `bodyBytesInPacket` bytes of its body. */
function messageWithFds(count: number, { bodyBytesInPacket }: { bodyBytesInPacket: number }): Buffer {
  const objects = Array.from({ length: count }, (_, i) => ({ offset: 24 * i, type: support.DESCRIPTOR, number: i }))
  const fields = {
    kind: support.TRANSACTION,
    id: 1,
    code: 1,
    objectCount: count,
    descriptorCount: count,
    bodyBytesInPacket,
  }
  return support.message({ ...fields, dataSize: 24 * count }, support.body(24 * count, objects))
}

// --- what the kernel says ---

t.test("an errno that is not the peer's end ends the channel, with its number", async (t) => {
  const { channel, recorder } = support.recordedServer(t)
  channel.onSendFailed(-EMSGSIZE)
  t.match(await recorder.ended(), { code: 'ERR_DEAD_OBJECT', message: /errno 90/ })
})

t.test("an errno that is the peer's end lets what it sent before come first", async (t) => {
  const { channel, recorder, peer } = support.recordedServer(t)
  peer.send(support.message({ kind: support.TRANSACTION, id: 1, code: 1 }))
  peer.close()
  channel.onSendFailed(-EPIPE)
  t.equal(channel.isEnded, false)
  t.equal(channel.isPeerGone, true)
  await recorder.ended()
  t.equal(recorder.calls.length, 1)
})

t.test('events of a channel that has ended are ignored', async (t) => {
  const { channel, recorder } = support.recordedServer(t)
  channel.close()
  channel.onWritable()
  channel.onUnsent(Buffer.alloc(100), -EAGAIN)
  channel.onSendFailed(-EMSGSIZE)
  t.equal(channel.queuedBytes, 0)
  t.equal(channel.isPeerGone, false)
  t.equal(recorder.ends.length, 1)
})
