/**
 * A parcel that is refused in the middle leaves nothing behind, whichever of its objects is at fault, in which direction
 * it was to go, and which side refuses: no object is held, no descriptor open, nothing paid for, and the channel lives.
 */
import { constants, getrlimit, type OwnedFd, setrlimit } from 'memfd-native'
import t, { type Test } from 'tap'
import { Binder, type BinderProxy, type IBinder, LimitError, Parcel, ParcelFileDescriptor } from '../../src/index.ts'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)
support.watchdog(t)

const POSITIONS = [0, 1, 2, 3]
const KEPT = new Binder()

/** Pays, but for what it refuses to, and knows what is still to be paid. */
class Budget implements support.ChannelBudget {
  used = 0
  readonly #refused: readonly string[]

  constructor(...refused: string[]) {
    this.#refused = refused
  }

  charge(what: string, count: number): void {
    if (this.#refused.includes(what)) throw new LimitError('a budget', 0, 0)
    this.used += count
  }

  refund(_what: string, count: number): void {
    this.used -= count
  }

  carryOver(what: string, count: number): () => void {
    return () => this.refund(what, count)
  }
}

/** New binders, one of them twice, others, and at one position what is at fault. @returns the new ones */
function writeAround(
  parcel: Parcel,
  position: number,
  writeBad: (parcel: Parcel) => void,
  other: Binder = KEPT,
): Binder[] {
  const [first, second] = [new Binder(), new Binder()]
  const objects = [first, second, other, first]
  for (const [index, binder] of objects.entries()) {
    if (index === position) writeBad(parcel)
    parcel.writeStrongBinder(binder)
  }
  return [first, second]
}

/** A proxy of a channel that is not the one that is tried. */
const foreigners = new WeakMap<Test, IBinder>()
function foreign(t: Test): IBinder {
  const known = foreigners.get(t)
  if (known !== undefined) return known
  const { proxy } = support.sessionPair(t, new Binder())
  foreigners.set(t, proxy)
  return proxy
}

function manyFds(parcel: Parcel): void {
  const pfd = ParcelFileDescriptor.fromData(Buffer.from('content'), 'region') as ParcelFileDescriptor
  for (let i = 0; i < 254; i++) parcel.writeFileDescriptor(pfd.getFileDescriptor())
  pfd.close()
}

function writeDescriptor(parcel: Parcel): void {
  const pfd = ParcelFileDescriptor.fromData(Buffer.alloc(1), 'one') as ParcelFileDescriptor
  parcel.writeFileDescriptor(pfd.getFileDescriptor())
  pfd.close()
}

/** Looks like a binder, and is none of ours. */
const impostor = { asBinder: () => impostor, transact: () => undefined } as unknown as IBinder

/** Each way to be refused, and how the sender is told. */
const FAULTS: Record<string, { write: (parcel: Parcel, t: Test) => void; code: string }> = {
  'a proxy of another channel': {
    write: (parcel, t) => parcel.writeStrongBinder(foreign(t)),
    code: 'ERR_UNSUPPORTED_OPERATION',
  },
  'a proxy that was closed': {
    write: (parcel, t) => {
      const proxy = foreign(t) as BinderProxy
      proxy.close()
      parcel.writeStrongBinder(proxy)
    },
    code: 'ERR_UNSUPPORTED_OPERATION',
  },
  '254 descriptors': { write: manyFds, code: 'ERR_LIMIT' },
  'one object more than a parcel has': {
    write: (parcel) => {
      for (let i = 0; i < support.MAX_OBJECTS - 3; i++) parcel.writeStrongBinder(KEPT)
    },
    code: 'ERR_TRANSACTION_TOO_LARGE',
  },
  'more bytes than a parcel has': {
    write: (parcel) => parcel.writeByteArray(Buffer.alloc(1_040_384)),
    code: 'ERR_TRANSACTION_TOO_LARGE',
  },
}

/** Tries what is refused, and looks at what is left. @param attempt answers the binders that nobody may hold */
async function assertNothingLeft(
  t: Test,
  { proxy }: support.SessionPair,
  attempt: () => Promise<Binder[]>,
): Promise<void> {
  foreign(t) // not in the attempt: tap remembers the frames that a teardown was asked for in
  const before = support.hubReferences()
  t.equal(await support.heldObjects(attempt), 0, 'no object is held')
  t.equal(support.hubReferences(), before, 'nothing keeps the process alive')
  t.equal(await proxy.pingBinder(), true, 'the channel lives')
}

for (const [fault, { write, code }] of Object.entries(FAULTS)) {
  t.test(`a request that is refused for ${fault}, at each position, leaves nothing behind`, async (t) => {
    const pair = support.sessionPair(t, new support.ScriptedBinder({ 1: () => true }, { acceptFileDescriptors: true }))
    for (const flags of [0, Binder.FLAG_ONEWAY]) {
      await assertNothingLeft(t, pair, async () => {
        const binders: Binder[] = []
        for (const position of POSITIONS) {
          const writeAll = (data: Parcel) => {
            binders.push(...writeAround(data, position, (parcel) => write(parcel, t)))
          }
          await t.rejects(support.call(pair.proxy, 1, { write: writeAll, flags }), { code })
        }
        return binders
      })
    }
  })

  t.test(`a reply that is refused for ${fault}, at each position, leaves nothing behind`, async (t) => {
    const binders: Binder[] = []
    const serve = (data: Parcel, reply: Parcel) => {
      binders.push(...writeAround(reply, data.readInt(), (parcel) => write(parcel, t), root))
    }
    const root = new support.ScriptedBinder({ 1: serve })
    const pair = support.sessionPair(t, root)
    await assertNothingLeft(t, pair, async () => {
      for (const position of POSITIONS) {
        const read = (reply: Parcel) => reply.readException()
        await t.rejects(support.call(pair.proxy, 1, { write: (data) => data.writeInt(position), read }), { code })
      }
      return binders.splice(0)
    })
  })
}

t.test('descriptors where none may go are refused at each position', async (t) => {
  const pair = support.sessionPair(t, new support.ScriptedBinder({ 1: () => true }))
  await assertNothingLeft(t, pair, async () => {
    const binders: Binder[] = []
    for (const position of POSITIONS) {
      const write = (data: Parcel) => {
        binders.push(...writeAround(data, position, manyFds))
      }
      await t.rejects(support.call(pair.proxy, 1, { write }), { code: /ERR_UNSUPPORTED_OPERATION|ERR_LIMIT/ })
      const one = (parcel: Parcel) => {
        const pfd = ParcelFileDescriptor.fromData(Buffer.alloc(1), 'one') as ParcelFileDescriptor
        parcel.writeFileDescriptor(pfd.getFileDescriptor())
        pfd.close()
      }
      const writeOne = (data: Parcel) => {
        binders.push(...writeAround(data, position, one))
      }
      await t.rejects(support.call(pair.proxy, 1, { write: writeOne }), { code: 'ERR_UNSUPPORTED_OPERATION' })
    }
    return binders
  })
})

t.test('an object that is not our binder is refused before or when it is sent', async (t) => {
  const pair = support.sessionPair(t, new support.ScriptedBinder({ 1: () => true }))
  await assertNothingLeft(t, pair, async () => {
    const binders: Binder[] = []
    for (const position of POSITIONS) {
      const write = (data: Parcel) => {
        binders.push(...writeAround(data, position, (parcel) => parcel.writeStrongBinder(impostor)))
      }
      await t.rejects(support.call(pair.proxy, 1, { write }), { code: 'ERR_INVALID_ARG_TYPE' })
    }
    return binders
  })
})

t.test('a call that finds the queue full holds nothing, nor one that finds its proxy closed', async (t) => {
  const { peer, client, proxy } = support.rawServer(t, { peerAcceptsFileDescriptors: true })
  const flood = (data: Parcel) => data.writeByteArray(Buffer.alloc(900_000))
  for (let i = 0; i < 2; i++) await support.call(proxy, 1, { write: flood, flags: Binder.FLAG_ONEWAY })
  const before = support.hubReferences()
  const attempt = (code: string) => async () => {
    const binders: Binder[] = []
    for (const flags of [0, Binder.FLAG_ONEWAY]) {
      const write = (data: Parcel) => {
        binders.push(...writeAround(data, 1, (parcel) => parcel.writeInt(1)))
      }
      await t.rejects(support.call(proxy, 1, { write, flags }), { code })
    }
    return binders
  }
  t.equal(await support.heldObjects(attempt('ERR_LIMIT')), 0)
  t.equal(support.hubReferences(), before)
  t.equal(client.isEnded, false)
  peer.close()
  proxy.close()
  t.equal(await support.heldObjects(attempt('ERR_CLOSED')), 0)
  t.equal(support.hubReferences(), before - 1, 'what waited went with the channel')
})

t.test(
  'descriptors that nobody pays for are refused with the objects beside them, and nothing stays paid for',
  async (t) => {
    const budget = new Budget('unreadDescriptors', 'heldDescriptors')
    let callback: IBinder | null = null
    const root = new support.ScriptedBinder({
      1: (data) => {
        callback = data.readStrongBinder()
      },
    })
    const { peer, server } = support.rawClient(t, root)
    server.chargeTo(budget)
    peer.send(
      support.message(
        { kind: support.TRANSACTION, id: 1, code: 1, objectCount: 1 },
        support.body(24, [{ offset: 0, type: 2, number: 7, acceptsFileDescriptors: true }]),
      ),
    )
    await peer.receiveMessages(1)
    const toPeer = callback as unknown as BinderProxy
    const [before, paid] = [support.hubReferences(), budget.used]
    const held = await support.heldObjects(async () => {
      const binders: Binder[] = []
      for (const position of POSITIONS) {
        const write = (data: Parcel) => {
          binders.push(
            ...writeAround(data, position, (parcel) => {
              const pfd = ParcelFileDescriptor.fromData(Buffer.alloc(1), 'one') as ParcelFileDescriptor
              parcel.writeFileDescriptor(pfd.getFileDescriptor())
              pfd.close()
            }),
          )
        }
        await t.rejects(support.call(toPeer, 1, { write, flags: Binder.FLAG_ONEWAY }), { code: 'ERR_LIMIT' })
      }
      return binders
    })
    t.equal(held, 0)
    t.equal(budget.used, paid)
    t.equal(support.hubReferences(), before)
    t.equal(server.isEnded, false)
  },
)

t.test('a call that has to wait, and finds no number for its descriptor, leaves nothing behind', async (t) => {
  const { client, proxy } = support.rawServer(t, { peerAcceptsFileDescriptors: true })
  const flood = (data: Parcel) => data.writeByteArray(Buffer.alloc(900_000))
  await support.call(proxy, 1, { write: flood, flags: Binder.FLAG_ONEWAY }) // and more than the kernel takes
  const before = support.hubReferences()
  const { soft, hard } = getrlimit(constants.RLIMIT_NOFILE)
  const held = await support.heldObjects(async () => {
    const binders: Binder[] = []
    for (const position of POSITIONS) {
      for (const flags of [0, Binder.FLAG_ONEWAY]) {
        const write = (data: Parcel) => {
          binders.push(...writeAround(data, position, writeDescriptor))
          setrlimit(constants.RLIMIT_NOFILE, { soft: 8, hard }) // all below are in use
        }
        const answer = support.call(proxy, 1, { write, flags })
        setrlimit(constants.RLIMIT_NOFILE, { soft, hard })
        await t.rejects(answer, { code: 'EMFILE' })
      }
    }
    return binders
  })
  t.equal(held, 0)
  t.equal(support.hubReferences(), before)
  t.equal(client.isEnded, false)
})

// --- what comes in ---

const sent = (number: number, offset: number): support.WireObject => ({ offset, type: support.SENDERS_BINDER, number })
const fdAt = (number: number, offset: number): support.WireObject => ({ offset, type: support.DESCRIPTOR, number })

/** Binders 1, 2, 1 and object 0 of the sender's, which is not counted, and a descriptor at this position. */
function mixed(position: number): support.WireObject[] {
  const numbers = [1, 2, 0, 1]
  return [0, 1, 2, 3, 4].map((index) =>
    index === position ? fdAt(0, 24 * index) : sent(numbers.splice(0, 1)[0] as number, 24 * index),
  )
}

/** Resolves once nobody holds the descriptor any more: its other end is told. */
async function closed(t: Test, other: OwnedFd): Promise<void> {
  await new support.RawPeer(t, other).ended()
}

/** What comes until so many references are back: how many of each object, by themselves or together, and what else. */
async function released(peer: support.RawPeer, count: number, others = 0) {
  const counts: Record<number, number> = {}
  const rest: support.Message[] = []
  for (let left = count; left > 0 || rest.length < others; ) {
    for (const message of await peer.receiveMessages(1)) {
      if (message.kind !== support.RELEASE) rest.push(message)
      else {
        counts[message.object] = (counts[message.object] ?? 0) + message.code
        left -= message.code
      }
    }
  }
  return { counts, rest }
}

const REFUSALS: Record<string, { fields: Partial<Parameters<typeof support.message>[0]>; code: number | null }> = {
  'an object that is none': { fields: { object: 99 }, code: 2 },
  'an object that accepts no descriptors': { fields: { object: 1 }, code: 3 },
  'an object that is none, oneway': { fields: { object: 99, id: 0, flags: support.ONEWAY }, code: null },
  'an object that accepts no descriptors, oneway': { fields: { object: 1, id: 0, flags: support.ONEWAY }, code: null },
}

for (const [what, { fields, code }] of Object.entries(REFUSALS)) {
  t.test(`a call to ${what} gives back all that came with it`, async (t) => {
    const codes = { 1: (_data: Parcel, reply: Parcel) => reply.writeStrongBinder(KEPT) }
    const { peer, server } = support.rawClient(t, new support.ScriptedBinder(codes, { acceptFileDescriptors: true }))
    const budget = new Budget()
    server.chargeTo(budget)
    peer.send(support.message({ kind: support.TRANSACTION, id: 9, code: 1 })) // object 1 is KEPT from here on
    await peer.receiveMessages(1)
    const paid = budget.used
    for (const position of POSITIONS) {
      const { fd, other } = support.watchedDescriptor(t)
      const request = {
        kind: support.TRANSACTION,
        id: 1,
        code: 1,
        dataSize: 120,
        objectCount: 5,
        descriptorCount: 1,
        ...fields,
      }
      peer.send(support.message(request, support.body(120, mixed(position))), [fd])
      fd.close()
      const { counts, rest } = await released(peer, 3, code === null ? 0 : 1)
      t.strictSame(counts, { 1: 2, 2: 1 })
      if (code !== null) t.match(rest, [{ kind: support.FAILURE, id: 1, code }])
      await closed(t, other)
    }
    t.equal(server.isEnded, false)
    t.equal(budget.used, paid)
  })
}

t.test(
  'a call with an object that this side never sent ends the channel, and closes what came, at each position',
  async (t) => {
    for (const position of POSITIONS) {
      const { peer, ended } = support.rawClient(
        t,
        new support.ScriptedBinder({ 1: () => t.fail('called') }, { acceptFileDescriptors: true }),
      )
      const { fd, other } = support.watchedDescriptor(t)
      const good = [sent(1, 0), fdAt(0, 0), sent(2, 0)]
      good.splice(position, 0, { offset: 0, type: support.RECEIVERS_BINDER, number: 77 })
      const objects = good.map((object, index) => ({ ...object, offset: 24 * index }))
      const request = { kind: support.TRANSACTION, id: 1, code: 1, dataSize: 96, objectCount: 4, descriptorCount: 1 }
      peer.send(support.message(request, support.body(96, objects)), [fd])
      fd.close()
      t.type(await ended(), support.Violation)
      await closed(t, other)
    }
  },
)

t.test('an answer with an object that this side never sent fails its call, and closes what came', async (t) => {
  for (const position of POSITIONS) {
    const { peer, proxy, ended } = support.rawServer(t, { peerAcceptsFileDescriptors: true })
    const answer = support.call(proxy, 1)
    const [, request] = await peer.receiveMessages(2)
    const { fd, other } = support.watchedDescriptor(t)
    const good = [sent(1, 0), fdAt(0, 0), sent(2, 0)]
    good.splice(position, 0, { offset: 0, type: support.RECEIVERS_BINDER, number: 77 })
    const objects = good.map((object, index) => ({ ...object, offset: 24 * index }))
    const reply = { kind: support.REPLY, id: request?.id ?? 0, dataSize: 96, objectCount: 4, descriptorCount: 1 }
    peer.send(support.message(reply, support.body(96, objects)), [fd])
    fd.close()
    await t.rejects(answer, { code: 'ERR_DEAD_OBJECT', cause: support.Violation })
    await ended()
    await closed(t, other)
  }
})

t.test('an answer that nobody takes gives back what came: to no parcel, to a recycled one', async (t) => {
  const ways: ((proxy: BinderProxy, data: Parcel) => Promise<unknown>)[] = [
    (proxy, data) => proxy.transact(1, data, null),
    async (proxy, data) => {
      const reply = Parcel.obtain()
      const answer = proxy.transact(1, data, reply)
      reply.recycle()
      await t.rejects(answer, { code: 'ERR_CLOSED' })
    },
  ]
  for (const way of ways) {
    for (const position of POSITIONS) {
      const { peer, proxy } = support.rawServer(t, { peerAcceptsFileDescriptors: true })
      const data = Parcel.obtain()
      const answer = way(proxy, data)
      const [, request] = await peer.receiveMessages(2)
      const { fd, other } = support.watchedDescriptor(t)
      const reply = { kind: support.REPLY, id: request?.id ?? 0, dataSize: 120, objectCount: 5, descriptorCount: 1 }
      peer.send(support.message(reply, support.body(120, mixed(position))), [fd])
      fd.close()
      await answer
      await closed(t, other)
      data.recycle()
      const collecting = setInterval(support.collectGarbage, 5)
      t.strictSame((await released(peer, 3)).counts, { 1: 2, 2: 1 })
      clearInterval(collecting)
    }
  }
})
