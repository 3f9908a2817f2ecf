/**
 * Binders that come are numbers until somebody reads them. What nobody reads is given back when its parcel is recycled,
 * and is paid for until then. Against a peer made of bytes.
 */
import t, { type Test } from 'tap'
import { Binder, type BinderProxy, defineInterface, LimitError, Parcel, types } from '../../src/index.ts'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)
support.watchdog(t)

const PING = 0x5f504e47

/** A message with binders of the peer's, 24 bytes each, one behind the other. */
function withBinders(fields: { kind: number; id?: number; flags?: number; code?: number }, numbers: number[]): Buffer {
  const objects = numbers.map(
    (number, i): support.WireObject => ({ offset: 24 * i, type: support.SENDERS_BINDER, number }),
  )
  const bytes = support.body(24 * numbers.length, objects)
  return support.message({ ...fields, dataSize: 24 * numbers.length, objectCount: numbers.length }, bytes)
}

const request = (id: number, numbers: number[], code = 1) =>
  withBinders({ kind: support.TRANSACTION, id, code }, numbers)
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1)

/** Pays for objects, up to a limit. */
class Purse implements support.ChannelBudget {
  readonly #limit: number
  objects = 0
  most = 0

  constructor(limit = 4096) {
    this.#limit = limit
  }

  charge(what: string, count: number): void {
    if (what !== 'objects') return
    if (this.objects + count > this.#limit) throw new LimitError('objects', this.#limit, this.objects)
    this.objects += count
    this.most = Math.max(this.most, this.objects)
  }

  refund(what: string, count: number): void {
    if (what === 'objects') this.objects -= count
  }

  carryOver(): () => void {
    return () => undefined
  }
}

function paidClient(t: Test, codes: Record<number, support.Serve>, limit?: number) {
  const purse = new Purse(limit)
  const client = support.rawClient(t, new support.ScriptedBinder(codes))
  client.server.chargeTo(purse)
  return { ...client, purse }
}

/** Packets until so many references have come back. */
async function returned(
  peer: support.RawPeer,
  count: number,
): Promise<{ counts: Map<number, number>; packets: number }> {
  const counts = new Map<number, number>()
  let packets = 0
  for (let left = count; left > 0; ) {
    const { messages } = (await peer.receive()) as support.Packet
    const releases = messages.filter(({ kind }) => kind === support.RELEASE)
    if (releases.length > 0) packets += 1
    for (const { object, code } of releases) {
      counts.set(object, (counts.get(object) ?? 0) + code)
      left -= code
    }
  }
  return { counts, packets }
}

t.test('binders that a method does not read are given back at once, together', async (t) => {
  const { peer, purse } = paidClient(t, { 1: () => true })
  for (const code of [1, PING]) {
    peer.send(request(code, upTo(2000), code))
    const { counts, packets } = await returned(peer, 2000)
    t.equal(counts.size, 2000)
    t.ok([...counts.values()].every((count) => count === 1))
    t.equal(packets, 1, 'in one packet')
  }
  t.same([purse.objects, purse.most], [0, 2000])
})

t.test('an object that came several times is given back once, with the count', async (t) => {
  const { peer, purse } = paidClient(t, { 1: () => true })
  peer.send(request(1, [7, 9, 7, 7]))
  t.match(await peer.receiveMessages(3), [
    { kind: support.REPLY },
    { kind: support.RELEASE, object: 7, code: 3 },
    { kind: support.RELEASE, object: 9, code: 1 },
  ])
  t.equal(purse.objects, 0)
})

t.test('the same applies to a oneway call, and to one that is refused', async (t) => {
  const { peer, purse } = paidClient(t, { 1: () => false })
  peer.send(withBinders({ kind: support.TRANSACTION, flags: support.ONEWAY, code: 1 }, [1, 2]))
  await returned(peer, 2)
  peer.send(request(1, upTo(100)))
  t.match(await peer.receiveMessages(1), [{ kind: support.FAILURE, id: 1, code: 1 }])
  await returned(peer, 100)
  t.equal(purse.objects, 0)
})

t.test('a binder that is read is a proxy, the others go back; the same place is the same proxy', async (t) => {
  const seen: unknown[] = []
  const read = (data: Parcel) => {
    t.equal(data.hasBinders(), true)
    for (const position of [24, 24]) {
      data.setDataPosition(position)
      seen.push(data.readStrongBinder())
    }
  }
  const { peer, purse } = paidClient(t, { 1: read })
  peer.send(request(1, [5, 6, 6, 7]))
  t.match(await peer.receiveMessages(4), [
    { kind: support.REPLY },
    { kind: support.RELEASE, object: 5, code: 1 },
    { kind: support.RELEASE, object: 6, code: 1 },
    { kind: support.RELEASE, object: 7, code: 1 },
  ])
  t.equal(seen[0], seen[1])
  t.equal(purse.objects, 1)
  ;(seen[0] as BinderProxy).close()
  t.match(await peer.receiveMessages(1), [{ kind: support.RELEASE, object: 6, code: 1 }])
  t.equal(purse.objects, 0)
})

t.test('a part that is copied into another parcel is read', async (t) => {
  let copy: Parcel | undefined
  const append = (data: Parcel) => {
    copy = Parcel.obtain()
    copy.appendFrom(data, 24, 24)
  }
  const { peer, purse } = paidClient(t, { 1: append })
  peer.send(request(1, [5, 6]))
  t.match(await peer.receiveMessages(2), [{ kind: support.REPLY }, { kind: support.RELEASE, object: 5, code: 1 }])
  copy?.setDataPosition(0)
  const proxy = copy?.readStrongBinder() as BinderProxy
  t.equal(proxy.isBinderAlive(), true)
  t.equal(purse.objects, 1)
  proxy.close()
  copy?.recycle()
  await returned(peer, 1)
})

t.test('a request that is sent back as it came has every binder read', async (t) => {
  const { peer } = paidClient(t, { 1: (data, reply) => reply.appendFrom(data, 0, data.dataSize()) })
  peer.send(request(1, [5, 6]))
  const [reply] = await peer.receiveMessages(1)
  t.match(reply, { kind: support.REPLY, objectCount: 2 })
  t.same(
    [0, 24].map((at) => [reply?.body.readUInt32LE(at), reply?.body.readUInt32LE(at + 4)]),
    [
      [support.RECEIVERS_BINDER, 5],
      [support.RECEIVERS_BINDER, 6],
    ],
  )
})

t.test('data that is cut or replaced gives its binders back', async (t) => {
  const { peer, purse } = paidClient(t, {
    1: (data) => data.setDataSize(24),
    2: (data) => data.unmarshall(Buffer.alloc(4), 0, 4),
  })
  peer.send(request(1, [5, 6]))
  t.match(await peer.receiveMessages(3), [
    { kind: support.RELEASE, object: 6 },
    { kind: support.REPLY },
    { kind: support.RELEASE, object: 5 },
  ])
  peer.send(request(2, [5, 6], 2))
  await returned(peer, 2)
  t.equal(purse.objects, 0)
})

t.test('a number that is not ours ends the channel when it comes, not when it is read', async (t) => {
  let calls = 0
  const { peer, purse, ended } = paidClient(t, { 1: () => (calls += 1) })
  const objects: support.WireObject[] = [
    { offset: 0, type: support.SENDERS_BINDER, number: 5 },
    { offset: 24, type: support.RECEIVERS_BINDER, number: 77 },
  ]
  peer.send(
    support.message(
      { kind: support.TRANSACTION, id: 1, code: 1, dataSize: 48, objectCount: 2 },
      support.body(48, objects),
    ),
  )
  t.type(await ended(), support.Violation)
  t.same([calls, purse.objects], [0, 0])
})

t.test('a binder that is read after the end of its channel is dead', async (t) => {
  let go = (): void => {}
  const gate = new Promise<void>((resolve) => {
    go = resolve
  })
  const seen: BinderProxy[] = []
  let finished = (): void => {}
  const done = new Promise<void>((resolve) => {
    finished = resolve
  })
  const { peer, purse, ended } = paidClient(t, {
    1: async (data) => {
      await gate
      for (let i = 0; i < 2; i++) seen.push(data.readStrongBinder() as BinderProxy)
      finished()
    },
  })
  peer.send(request(1, [5, 0, 6]))
  peer.close()
  await ended()
  t.equal(purse.objects, 0, 'nothing is paid for')
  go()
  await done
  for (const proxy of seen) {
    t.equal(proxy.isBinderAlive(), false)
    t.equal(
      support.outcome(() => proxy.linkToDeath({ binderDied: () => {} })),
      'ERR_DEAD_OBJECT',
    )
    await t.rejects(support.call(proxy, 1), { code: 'ERR_DEAD_OBJECT' })
    proxy.close()
  }
})

t.test('a reply that its caller recycles, or forgets, gives its unread binders back', async (t) => {
  const { peer, proxy } = support.rawServer(t)
  const ask = async () => {
    const data = Parcel.obtain()
    const reply = Parcel.obtain()
    const answer = proxy.transact(1, data, reply)
    const messages = await peer.receiveMessages(1)
    const id = messages.find(({ kind }) => kind === support.TRANSACTION)?.id ?? 0
    peer.send(withBinders({ kind: support.REPLY, id }, upTo(100)))
    await answer
    data.recycle()
    return reply
  }
  await peer.receiveMessages(1) // HELLO
  ;(await ask()).recycle()
  await returned(peer, 100)
  await ask()
  const collecting = setInterval(support.collectGarbage, 5)
  await returned(peer, 100)
  clearInterval(collecting)
})

t.test('an answer that nobody wants gives its binders back', async (t) => {
  const { peer, proxy } = support.rawServer(t)
  await peer.receiveMessages(1)
  const data = Parcel.obtain()
  const answer = proxy.transact(1, data, null)
  const [received] = await peer.receiveMessages(1)
  peer.send(withBinders({ kind: support.REPLY, id: received?.id ?? 0 }, upTo(100)))
  await answer
  await returned(peer, 100)
  data.recycle()
})

t.test('over the limit of who pays a call is refused and gives all back; a oneway call ends the channel', async (t) => {
  const held: unknown[] = []
  const hold = (data: Parcel) => held.push(data.readStrongBinder())
  const { peer, purse, server, ended } = paidClient(t, { 1: hold }, 10)
  for (let id = 1; id <= 8; id++) peer.send(request(id, [id]))
  await peer.receiveMessages(8)
  peer.send(request(9, [11, 12, 13]))
  t.match(await peer.receiveMessages(4), [
    { kind: support.RELEASE, object: 11 },
    { kind: support.RELEASE, object: 12 },
    { kind: support.RELEASE, object: 13 },
    { kind: support.FAILURE, id: 9, code: 4 },
  ])
  t.same([purse.objects, server.isEnded, held.length], [8, false, 8])
  peer.send(withBinders({ kind: support.TRANSACTION, flags: support.ONEWAY, code: 1 }, [11, 12, 13]))
  t.type(await ended(), support.Violation)
  t.equal(purse.objects, 0)
})

t.test('unread binders of unfinished calls count for the limit of the channel', async (t) => {
  const { peer, server } = support.rawClient(t, new support.ScriptedBinder({ 1: () => new Promise(() => {}) }))
  await peer.offer(request(1, upTo(2000)))
  await peer.offer(request(2, upTo(2000)))
  await peer.offer(request(3, upTo(97)))
  const { counts } = await returned(peer, 97)
  t.equal(counts.size, 97)
  t.match(await peer.receiveMessages(1), [{ kind: support.FAILURE, id: 3, code: 4 }])
  t.equal(server.isEnded, false)
})

t.test("objects of ours that a client makes grow are the client's to pay", async (t) => {
  const { peer, purse, server } = paidClient(t, { 1: (_data, reply) => reply.writeStrongBinder(new Binder()) }, 3)
  for (let id = 1; id <= 4; id++) peer.send(request(id, []))
  t.match(await peer.receiveMessages(4), [
    { kind: support.REPLY },
    { kind: support.REPLY },
    { kind: support.REPLY },
    { kind: support.FAILURE, id: 4, code: 4 },
  ])
  t.equal(purse.objects, 3)
  peer.send(support.message({ kind: support.RELEASE, object: 2, code: 1 }))
  peer.send(request(5, []))
  t.match(await peer.receiveMessages(1), [{ kind: support.REPLY, id: 5 }])
  server.close()
  t.equal(purse.objects, 0)
})

t.test('a peer that does not read what is given back to it loses the channel', async (t) => {
  const { peer, ended, purse } = paidClient(t, { 1: () => true })
  const flood = async () => {
    for (let id = 1; ; id++) await peer.offer(request(id, upTo(2000)))
  }
  const flooding = flood().catch((error) => error)
  t.type(await ended(), support.Violation)
  t.match(await flooding, { code: /EPIPE|ECONNRESET/ })
  t.equal(purse.objects, 0)
})

/** A method that takes one binder, and keeps it. */
const IKeeper = defineInterface('x.IKeeper', { keep: { code: 1, args: [types.binder] } })

class Keeper extends IKeeper.Stub {
  readonly kept: unknown[] = []

  keep(binder: unknown): void {
    this.kept.push(binder)
  }
}

/** A call of `keep` with as many binders as there are numbers. */
function keepCall(id: number, numbers: number[]): Buffer {
  const token = Parcel.obtain()
  token.writeInterfaceToken(IKeeper.DESCRIPTOR)
  const { bytes, size } = support.parcelContents(token)
  const objects = numbers.map(
    (number, i): support.WireObject => ({ offset: size + 24 * i, type: support.SENDERS_BINDER, number }),
  )
  const dataSize = size + 24 * numbers.length
  const data = support.body(dataSize, objects)
  bytes.copy(data, 0, 0, size)
  return support.message({ kind: support.TRANSACTION, id, code: 1, dataSize, objectCount: numbers.length }, data)
}

t.test('binders that a refused call has read go back with its answer, not when they are collected', async (t) => {
  const keeper = new Keeper()
  const { peer, server } = support.rawClient(t, keeper)
  const purse = new Purse()
  server.chargeTo(purse)
  peer.send(keepCall(1, [1, 2])) // one too many: read, and then refused
  await returned(peer, 2)
  t.same([purse.objects, keeper.kept.length], [0, 0])
})

t.test('but not what was kept before', async (t) => {
  const keeper = new Keeper()
  const { peer, server } = support.rawClient(t, keeper)
  const purse = new Purse()
  server.chargeTo(purse)
  peer.send(Buffer.concat([keepCall(1, [1]), Buffer.alloc(-keepCall(1, [1]).length & 7), keepCall(2, [1, 2])]))
  t.match(await returned(peer, 1), { counts: new Map([[2, 1]]) })
  t.same([purse.objects, keeper.kept.length], [1, 1])
  t.equal((keeper.kept[0] as BinderProxy).isBinderAlive(), true)
})

t.test(
  'answers that nobody reads count for the limit of the channel: one more ends it, and all is given up',
  async (t) => {
    const { peer, proxy, ended } = support.rawServer(t)
    await peer.receiveMessages(1) // HELLO
    const data = Parcel.obtain()
    const replies = [1, 2, 3].map(() => Parcel.obtain())
    const ask = async (reply: Parcel, count: number) => {
      const answer = proxy.transact(1, data, reply)
      const [received] = await peer.receiveMessages(1)
      peer.send(withBinders({ kind: support.REPLY, id: received?.id ?? 0 }, upTo(count)))
      return answer
    }
    const [first, second, third] = replies as [Parcel, Parcel, Parcel]
    await ask(first, 2048)
    await ask(second, 2048)
    await t.rejects(ask(third, 1), { code: 'ERR_DEAD_OBJECT', cause: { message: /4096/ } })
    t.type(await ended(), support.Violation)
    for (const parcel of [data, ...replies]) parcel.recycle()
  },
)
