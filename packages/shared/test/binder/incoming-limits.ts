/** What unfinished calls may hold: beyond it a call is refused and the channel lives; a oneway call ends the channel. */
import t from 'tap'
import { Binder } from '../../src/binder/binder.ts'
import { Violation } from '../../src/channel/message.ts'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)
support.watchdog(t)

/** Finishes no call until it is told to. */
class Slow extends Binder {
  started = 0
  #finish = (): void => {}
  readonly #gate = new Promise<void>((resolve) => {
    this.#finish = resolve
  })

  finish(): void {
    this.#finish()
  }

  override async onTransact(): Promise<boolean> {
    this.started += 1
    await this.#gate
    return true
  }
}

const call = (id: number) => support.message({ kind: support.TRANSACTION, id, code: 1 })
const oneway = support.message({ kind: support.TRANSACTION, flags: support.ONEWAY, code: 1 })
const MIB_PARCEL = 1_040_384

/** The message of a failure: resource and limit behind it. */
function limitOf(failure: support.Message | undefined): string {
  return failure?.body.subarray(4).toString('utf16le') ?? ''
}

t.test('the 1,025th call under way is refused, and answered ones make room', async (t) => {
  const slow = new Slow()
  const { peer, server } = support.rawClient(t, slow)
  peer.send(support.packet(...Array.from({ length: 1025 }, (_, i) => call(i + 1))))
  const [refusal] = await peer.receiveMessages(1)
  t.match(refusal, { kind: support.FAILURE, id: 1025, code: 4 })
  t.match(limitOf(refusal), 'calls pending on a channel')
  t.equal(slow.started, 1024)

  slow.finish()
  const replies = await peer.receiveMessages(1024)
  t.ok(replies.every(({ kind }) => kind === support.REPLY))
  peer.send(call(1026))
  t.match(await peer.receiveMessages(1), [{ kind: support.REPLY, id: 1026 }])
  t.equal(server.isEnded, false)
})

t.test('at the limit of calls oneway calls are served, and at the limit of those calls are', async (t) => {
  const slow = new Slow()
  const { peer, server } = support.rawClient(t, slow)
  peer.send(support.packet(...Array.from({ length: 1024 }, (_, i) => call(i + 1))))
  peer.send(oneway)
  peer.send(call(2000))
  t.match(await peer.receiveMessages(1), [{ kind: support.FAILURE, id: 2000, code: 4 }])
  t.equal(slow.started, 1025, 'the oneway call has begun')
  for (let i = 0; i < 9; i++) await peer.offer(support.packet(...new Array(1000).fill(oneway)))
  await peer.offer(support.packet(...new Array(999).fill(oneway)))
  slow.finish()
  const replies = await peer.receiveMessages(1024)
  t.ok(replies.every(({ kind }) => kind === support.REPLY))
  t.equal(server.isEnded, false)

  const other = new Slow()
  const full = support.rawClient(t, other)
  for (let i = 0; i < 10; i++) await full.peer.offer(support.packet(...new Array(1000).fill(oneway)))
  await full.peer.offer(support.packet(...Array.from({ length: 1024 }, (_, i) => call(i + 1))))
  await full.peer.offer(call(2000))
  t.match(await full.peer.receiveMessages(1), [{ kind: support.FAILURE, id: 2000, code: 4 }])
  t.equal(other.started, 1 + 1024)
  other.finish()
  await full.peer.receiveMessages(1024)
})

t.test('calls under way hold at most 16 MiB', async (t) => {
  const slow = new Slow()
  const { peer } = support.rawClient(t, slow)
  const fitting = Math.floor((16 * 1024 * 1024) / MIB_PARCEL)
  for (let id = 1; id <= fitting + 1; id++) await sendLong(peer, { kind: support.TRANSACTION, id, code: 1 })
  const [refusal] = await peer.receiveMessages(1)
  t.match(refusal, { kind: support.FAILURE, id: fitting + 1, code: 4 })
  t.match(limitOf(refusal), 'bytes of calls under way')
  t.equal(slow.started, fitting)
  slow.finish()
  await peer.receiveMessages(fitting)
  await sendLong(peer, { kind: support.TRANSACTION, id: 99, code: 1 })
  t.match(await peer.receiveMessages(1), [{ kind: support.REPLY, id: 99 }], 'what has ended holds nothing')
})

t.test('oneway calls that hold more than 16 MiB end the channel', async (t) => {
  const { peer, ended } = support.rawClient(t, new Slow())
  const fitting = Math.floor((16 * 1024 * 1024) / MIB_PARCEL)
  for (let i = 0; i <= fitting; i++) await sendLong(peer, { kind: support.TRANSACTION, flags: support.ONEWAY, code: 1 })
  t.type(await ended(), Violation)
  await peer.ended()
})

t.test('10,000 oneway calls may wait, the next one ends the channel', async (t) => {
  const slow = new Slow()
  const { peer, server, ended } = support.rawClient(t, slow)
  for (let i = 0; i < 10; i++) await peer.offer(support.packet(...new Array(1000).fill(oneway)))
  await peer.offer(support.message({ kind: support.TRANSACTION, id: 1, code: 0x5f504e47 }))
  t.match(await peer.receiveMessages(1), [{ kind: support.REPLY, id: 1 }], 'the channel lives')
  t.equal(slow.started, 1, 'one after the other')
  t.equal(server.isEnded, false)
  peer.send(oneway)
  t.type(await ended(), Violation)
})

t.test('a call with more binders than this side will hold is refused, and gives them back', async (t) => {
  const { peer, server } = support.rawClient(t, new Slow())
  const table = (first: number, count: number) =>
    support.body(
      24 * count,
      Array.from({ length: count }, (_, i) => ({ offset: 24 * i, type: support.SENDERS_BINDER, number: first + i })),
    )
  for (let first = 1; first <= 4096; first += 1024) {
    const bytes = table(first, 1024)
    const fields = { kind: support.TRANSACTION, id: first, code: 1, dataSize: 24 * 1024, objectCount: 1024 }
    await peer.offer(support.message(fields, bytes))
  }
  peer.send(
    support.message({ kind: support.TRANSACTION, id: 5000, code: 1, dataSize: 48, objectCount: 2 }, table(5000, 2)),
  )
  t.match(await peer.receiveMessages(3), [
    { kind: 5, object: 5000, code: 1 },
    { kind: 5, object: 5001, code: 1 },
    { kind: support.FAILURE, id: 5000, code: 4 },
  ])
  t.equal(server.isEnded, false)
})

t.test('calls under way hold at most 512 descriptors, and what has ended holds none', async (t) => {
  const slow = new Slow({ acceptFileDescriptors: true })
  const { peer, server } = support.rawClient(t, slow)
  const [fd] = support.regions(t, 1)
  const send = (id: number, count: number) => {
    const objects = Array.from({ length: count }, (_, i) => ({ offset: 24 * i, type: support.DESCRIPTOR, number: i }))
    const counts = { dataSize: 24 * count, objectCount: count, descriptorCount: count }
    const fields = { kind: support.TRANSACTION, id, code: 1, ...counts }
    peer.send(support.message(fields, support.body(24 * count, objects)), Array(count).fill(fd))
  }
  for (const [id, count] of [
    [1, 253],
    [2, 253],
    [3, 6],
    [4, 1],
  ] as const) {
    send(id, count)
    while (id < 4 && slow.started < id) await support.awake(new Promise(setImmediate))
  }
  const [refusal] = await peer.receiveMessages(1)
  t.match(refusal, { kind: support.FAILURE, id: 4, code: 4 })
  t.match(limitOf(refusal), 'descriptors of calls under way')
  t.equal(slow.started, 3)
  slow.finish()
  await peer.receiveMessages(3)
  send(5, 253)
  t.match(await peer.receiveMessages(1), [{ kind: support.REPLY, id: 5 }])
  t.equal(server.isEnded, false)
})

/** A message with the longest parcel there can be. */
async function sendLong(
  peer: support.RawPeer,
  fields: { kind: number; id?: number; flags?: number; code: number },
): Promise<void> {
  await peer.offer(support.message({ ...fields, dataSize: MIB_PARCEL }, Buffer.alloc(65_504)))
  for (let missing = MIB_PARCEL - 65_504; missing > 0; missing -= 65_504) {
    const part = Buffer.alloc(Math.min(missing, 65_504))
    await peer.offer(support.message({ kind: support.CONTINUATION, id: fields.id ?? 0, dataSize: 0 }, part))
  }
}
