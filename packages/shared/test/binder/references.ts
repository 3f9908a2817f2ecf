/**
 * References: each time a binder travels the receiver holds one more; it gives all back when its proxy is closed or
 * collected. Against a peer made of bytes, so that every message shows.
 */
import t, { type Test } from 'tap'
import { Violation } from '../../src/channel/message.ts'
import { Binder, type BinderProxy, Parcel } from '../../src/index.ts'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)
support.watchdog(t)

/** A call of the peer's with these binders. */
function request(id: number, objects: support.WireObject[], object = 0): Buffer {
  const fields = { kind: support.TRANSACTION, id, object, code: 1, objectCount: objects.length }
  return support.message(fields, support.body(24 * objects.length, objects))
}

const sent = (number: number, offset = 0): support.WireObject => ({ offset, type: support.SENDERS_BINDER, number })
const home = (number: number, offset = 0): support.WireObject => ({ offset, type: support.RECEIVERS_BINDER, number })

function readAll(data: Parcel): void {
  while (data.dataAvail() > 0) data.readStrongBinder()
}

/** Collects until a message comes: finalizers run some turns later. */
async function receiveAfterCollection(peer: support.RawPeer): Promise<support.Message | undefined> {
  const collecting = setInterval(support.collectGarbage, 5)
  try {
    return (await peer.receiveMessages(1))[0]
  } finally {
    clearInterval(collecting)
  }
}

t.test('a proxy that is collected gives back as many references as came', async (t) => {
  const { peer } = support.rawClient(t, new support.ScriptedBinder({ 1: readAll }))
  peer.send(request(1, [sent(5), sent(5, 24), sent(5, 48)]))
  peer.send(request(2, [sent(5)]))
  await peer.receiveMessages(2)
  t.match(await receiveAfterCollection(peer), { kind: support.RELEASE, object: 5, code: 4, id: 0 })
})

t.test('a proxy that is held is kept, and comes as the same object again', async (t) => {
  const held: unknown[] = []
  const { peer } = support.rawClient(t, new support.ScriptedBinder({ 1: (data) => held.push(data.readStrongBinder()) }))
  peer.send(request(1, [sent(5)]))
  peer.send(request(2, [sent(6)]))
  await peer.receiveMessages(2)
  held.pop()
  t.match(await receiveAfterCollection(peer), { kind: support.RELEASE, object: 6, code: 1 })
  peer.send(request(3, [sent(5)]))
  await peer.receiveMessages(1)
  t.equal(held[0], held[1])
})

t.test('a proxy with a death link is kept, though nobody else holds it', async (t) => {
  const told: unknown[] = []
  const serve = (data: Parcel) => data.readStrongBinder()?.linkToDeath({ binderDied: (who) => told.push(who) })
  const { peer, ended } = support.rawClient(t, new support.ScriptedBinder({ 1: serve, 2: () => true }))
  peer.send(request(1, [sent(5)]))
  await peer.receiveMessages(1)
  for (let round = 0; round < 5; round++) {
    support.collectGarbage()
    await new Promise(setImmediate)
  }
  peer.close()
  await ended()
  t.equal(told.length, 1)
})

t.test('a proxy that is closed gives its references back at once, and comes anew', async (t) => {
  const seen: BinderProxy[] = []
  const serve = (data: Parcel) => seen.push(data.readStrongBinder() as BinderProxy)
  const { peer } = support.rawClient(t, new support.ScriptedBinder({ 1: serve }))
  peer.send(request(1, [sent(5)]))
  await peer.receiveMessages(1)
  seen[0]?.close()
  seen[0]?.close()
  t.match(await peer.receiveMessages(1), [{ kind: support.RELEASE, object: 5, code: 1 }])
  peer.send(request(2, [sent(5)]))
  await peer.receiveMessages(1)
  t.not(seen[0], seen[1])
  seen[1]?.close()
  t.match(await peer.receiveMessages(1), [{ kind: support.RELEASE, object: 5, code: 1 }])
})

t.test('an object that was given back is gone, and its number is not used again', async (t) => {
  const given = new Binder()
  const { peer, server } = support.rawClient(
    t,
    new support.ScriptedBinder({ 1: (_data, reply) => reply.writeStrongBinder(given) }),
  )
  const ask = async (id: number) => {
    peer.send(request(id, []))
    return (await peer.receiveMessages(1))[0]?.body.readUInt32LE(4)
  }
  t.same([await ask(1), await ask(2)], [1, 1], 'the same object has the same number')
  peer.send(support.message({ kind: support.RELEASE, object: 1, code: 1 }))
  peer.send(support.message({ kind: support.TRANSACTION, id: 3, object: 1, code: 0x5f504e47 }))
  t.match(await peer.receiveMessages(1), [{ kind: support.REPLY, id: 3 }], 'one reference is left')
  peer.send(support.message({ kind: support.RELEASE, object: 1, code: 1 }))
  peer.send(support.message({ kind: support.TRANSACTION, id: 4, object: 1, code: 0x5f504e47 }))
  t.match(await peer.receiveMessages(1), [{ kind: support.FAILURE, id: 4, code: 2 }])
  t.equal(await ask(5), 2)
  t.equal(server.isEnded, false)
})

t.test('more references than were sent cannot be given back', async (t) => {
  const given = new Binder()
  const { peer, ended } = support.rawClient(
    t,
    new support.ScriptedBinder({ 1: (_data, reply) => reply.writeStrongBinder(given) }),
  )
  peer.send(request(1, []))
  peer.send(request(2, []))
  await peer.receiveMessages(2)
  peer.send(support.message({ kind: support.RELEASE, object: 1, code: 3 }))
  t.type(await ended(), Violation)
})

t.test('an object that comes again while its proxy is being collected is counted once for each time', async (t) => {
  const { peer } = support.rawClient(t, new support.ScriptedBinder({ 1: readAll }))
  let returned = 0
  const receive = async () => {
    const received = await peer.receiveMessages(1)
    for (const { kind, code } of received) if (kind === support.RELEASE) returned += code
  }
  for (let id = 1; id <= 300; id++) {
    peer.send(request(id, [sent(5)]))
    if (id % 3 === 0) support.collectGarbage()
    await receive()
  }
  const collecting = setInterval(support.collectGarbage, 5)
  while (returned < 300) await receive()
  clearInterval(collecting)
  peer.send(request(301, [sent(6)]))
  await receive()
  t.equal(returned, 300)
})

t.test('an object that comes home is not counted', async (t) => {
  const { peer, proxy } = support.rawServer(t)
  const answer = support.call(proxy, 1, {
    write: (data) => data.writeStrongBinder(new support.ScriptedBinder({ 1: () => true })),
  })
  const [, first] = await peer.receiveMessages(2)
  peer.send(support.message({ kind: support.REPLY, id: first?.id ?? 0 }))
  await answer
  for (let id = 1; id <= 3; id++) peer.send(request(id, [home(1)], 1))
  t.match(await peer.receiveMessages(3), [{ kind: support.REPLY }, { kind: support.REPLY }, { kind: support.REPLY }])
  peer.send(support.message({ kind: support.RELEASE, object: 1, code: 1 }))
  peer.send(request(4, [], 1))
  t.match(await peer.receiveMessages(1), [{ kind: support.FAILURE, id: 4, code: 2 }])
})

t.test('a call that could not be sent holds nothing', async (t) => {
  const { peer, proxy } = support.rawServer(t)
  const own = new support.ScriptedBinder({ 1: () => true })
  const flood = Parcel.obtain()
  flood.writeByteArray(Buffer.alloc(900_000))
  for (let i = 0; i < 2; i++) await proxy.transact(1, flood, null, Binder.FLAG_ONEWAY)
  const write = (data: Parcel) => data.writeStrongBinder(own)
  await t.rejects(support.call(proxy, 1, { write }), { code: 'ERR_LIMIT' })
  flood.recycle()
  await peer.receiveMessages(1 + 14 * 2)
  const answer = support.call(proxy, 1, { write })
  const [received] = await peer.receiveMessages(1)
  t.equal(received?.body.readUInt32LE(4), 2, 'number 1 was taken back')
  peer.send(support.message({ kind: support.REPLY, id: received?.id ?? 0 }))
  await answer
  peer.send(support.message({ kind: support.RELEASE, object: 2, code: 1 }))
  peer.send(request(1, [], 2))
  t.match(await peer.receiveMessages(1), [{ kind: support.FAILURE, code: 2 }])
})

t.test('a client that nobody uses any more is closed by the collector', async (t) => {
  const { peer } = abandoned(t)
  const collecting = setInterval(support.collectGarbage, 5)
  await peer.ended()
  clearInterval(collecting)
})

t.test('a client is kept by a call under way, and by a callback that the service holds', async (t) => {
  const { peer, answer } = abandoned(t, { call: true })
  support.collectGarbage()
  await new Promise(setImmediate)
  const [, request] = await peer.receiveMessages(2)
  t.equal(request?.objectCount, 1)
  peer.send(support.message({ kind: support.REPLY, id: request?.id ?? 0 }))
  await answer
  for (let round = 0; round < 5; round++) {
    support.collectGarbage()
    await new Promise(setImmediate)
  }
  peer.send(support.message({ kind: support.TRANSACTION, id: 9, object: 1, code: 1 }))
  t.match(await peer.receiveMessages(1), [{ kind: support.REPLY, id: 9 }], 'the callback answers')
  peer.send(support.message({ kind: support.RELEASE, object: 1, code: 1 }))
  const collecting = setInterval(support.collectGarbage, 5)
  await peer.ended()
  clearInterval(collecting)
})

/** A client whose proxy is out of reach as soon as this returns. */
function abandoned(t: Test, options: { call?: boolean } = {}) {
  const { peer, proxy } = support.rawServer(t, { closeWithTest: false })
  const callback = new support.ScriptedBinder({ 1: () => true })
  const answer = options.call
    ? support.call(proxy, 1, { write: (data) => data.writeStrongBinder(callback) })
    : undefined
  return { peer, answer }
}

t.test('2,000 callbacks given, collected and given back leave nothing behind', async (t) => {
  let kept: unknown
  const { proxy, client } = support.sessionPair(
    t,
    new support.ScriptedBinder({
      1: (data) => {
        kept = data.readStrongBinder()
      },
    }),
  )
  for (let round = 0; round < 2000; round++) {
    await support.call(proxy, 1, { write: (data) => data.writeStrongBinder(new Binder()) })
    ;(kept as BinderProxy).close()
  }
  await proxy.pingBinder()
  t.equal(client.isEnded, false)
})
