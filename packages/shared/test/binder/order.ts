/**
 * Whatever ways a channel's messages take, their receiver sees them in the order in which they were sent: every way to send
 * before and after every other one, on a channel that is idle, busy, full, or about to be written to again.
 */
import t, { type Test } from 'tap'
import { callAllOneway } from '../../src/binder/broadcast.ts'
import type { Session } from '../../src/binder/session.ts'
import { Binder, type BinderProxy, Parcel, ParcelFileDescriptor } from '../../src/index.ts'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)
support.watchdog(t)

const PARTS_BYTES = 150_000
const PING = 0x5f504e47 // is answered at once

function send(proxy: BinderProxy, code: number, flags: number, write: (data: Parcel) => void = () => undefined): void {
  const data = Parcel.obtain()
  write(data)
  proxy.transact(code, data, null, flags).catch(() => undefined) // an answer never comes
  data.recycle()
}

/** Each sends one message with this code. */
const WAYS: Record<string, (proxy: BinderProxy, code: number) => void> = {
  'a call': (proxy, code) => send(proxy, code, 0),
  'a oneway call': (proxy, code) => send(proxy, code, Binder.FLAG_ONEWAY),
  'a call in parts': (proxy, code) => send(proxy, code, 0, (data) => data.writeByteArray(Buffer.alloc(PARTS_BYTES))),
  'a oneway call in parts': (proxy, code) =>
    send(proxy, code, Binder.FLAG_ONEWAY, (data) => data.writeByteArray(Buffer.alloc(PARTS_BYTES))),
  'a descriptor': (proxy, code) =>
    send(proxy, code, Binder.FLAG_ONEWAY, (data) => {
      const pfd = ParcelFileDescriptor.fromData(Buffer.alloc(1), 'one') as ParcelFileDescriptor
      data.writeFileDescriptor(pfd.getFileDescriptor())
      pfd.close()
    }),
  'a broadcast': (proxy, code) => {
    const data = Parcel.obtain()
    callAllOneway([proxy], code, data, (_proxy, error) => {
      throw error
    })
    data.recycle()
  },
}

/** Brings a channel into a state, by messages with code 0. */
const STATES: Record<string, (client: Session, peer: support.RawPeer) => unknown> = {
  idle: () => undefined,
  busy: ({ root }) => {
    for (let i = 0; i < 3; i++) WAYS['a call']?.(root, 0)
  },
  full: fill,
  // The kernel has room again, and the hub has not been told.
  'full a moment ago': (client, peer) => {
    fill(client)
    return peer.receiveMessages(4)
  },
}

function fill(client: Session): void {
  while (client.queuedBytes === 0) {
    send(client.root, 0, Binder.FLAG_ONEWAY, (data) => data.writeByteArray(Buffer.alloc(30_000)))
  }
}

/** The codes of so many messages that are not 0; their parts are skipped, their descriptors closed. */
async function codes(peer: support.RawPeer, count: number): Promise<number[]> {
  const seen: number[] = []
  while (seen.length < count) {
    const received = await peer.receive()
    if (received === null) throw new Error(`the channel ended after ${seen}`)
    for (const fd of received.fds) fd.close()
    seen.push(
      ...received.messages
        .map(({ kind, code }) => (kind === support.TRANSACTION ? code : 0))
        .filter((code) => code > 0),
    )
  }
  return seen
}

for (const [state, prepare] of Object.entries(STATES)) {
  for (const [first, sendFirst] of Object.entries(WAYS)) {
    t.test(`on a channel that is ${state}, ${first} keeps its place among all others`, async (t) => {
      for (const [second, sendSecond] of Object.entries(WAYS)) {
        const { client, peer, proxy } = support.rawServer(t, { peerAcceptsFileDescriptors: true })
        await prepare(client, peer)
        sendFirst(proxy, 1)
        sendSecond(proxy, 2)
        sendFirst(proxy, 3)
        sendSecond(proxy, 4)
        t.strictSame(await codes(peer, 4), [1, 2, 3, 4], `${first} and ${second}`)
        proxy.close()
        peer.close()
      }
    })
  }
}

// --- answers, and what is sent while they wait ---

/** A service whose every call sends its callback something, then is answered. */
async function answering(t: Test, sendMore: (callback: BinderProxy, code: number) => void) {
  const callbacks: BinderProxy[] = []
  const root = new support.ScriptedBinder({
    1: (data) => {
      callbacks.push(data.readStrongBinder() as BinderProxy)
    },
  })
  root.onTransact = ((code: number, data: Parcel, reply: Parcel, flags: number) => {
    if (code === 1) return support.ScriptedBinder.prototype.onTransact.call(root, code, data, reply, flags)
    sendMore(callbacks[0] as BinderProxy, code)
    return true
  }) as unknown as typeof root.onTransact
  const { peer, server } = support.rawClient(t, root)
  const object = { offset: 0, type: support.SENDERS_BINDER, number: 7, acceptsFileDescriptors: true }
  peer.send(support.message({ kind: support.TRANSACTION, id: 1, code: 1, objectCount: 1 }, bodyOf(object)))
  await peer.receiveMessages(1)
  return { peer, server }
}

function bodyOf(object: { offset: number; type: number; number: number; acceptsFileDescriptors: boolean }): Buffer {
  const bytes = Buffer.alloc(28)
  bytes.writeUInt32LE(object.type, 0)
  bytes.writeUInt32LE(object.number, 4)
  bytes.writeUInt8(object.acceptsFileDescriptors ? 1 : 0, 8)
  return bytes
}

for (const [way, sendMore] of Object.entries(WAYS)) {
  for (const together of [true, false]) {
    const calls = together ? 'in one packet' : 'in a packet each'
    t.test(`${way} and the answers of calls that came ${calls} keep their order`, async (t) => {
      const { peer } = await answering(t, sendMore)
      const requests = [2, 3, 4].map((code) => support.message({ kind: support.TRANSACTION, id: code, code }))
      if (together) peer.send(support.packet(...requests))
      else for (const request of requests) peer.send(request)
      const seen: string[] = []
      while (seen.length < 6) {
        const received = await peer.receive()
        for (const fd of received?.fds ?? []) fd.close()
        for (const { kind, id, code } of received?.messages ?? []) {
          if (kind === support.REPLY) seen.push(`answer ${id}`)
          else if (kind !== support.CONTINUATION) seen.push(`call ${code}`)
        }
      }
      t.strictSame(seen, ['call 2', 'answer 2', 'call 3', 'answer 3', 'call 4', 'answer 4'])
    })
  }
}

t.test('an answer that was put off in one channel comes before what another channel’s call sends there', async (t) => {
  const { first } = await calledBack(t)
  for (const [way, sendMore] of Object.entries(WAYS)) {
    const root = new Binder()
    root.onTransact = (() => {
      sendMore(first.callback, 5)
      return true
    }) as unknown as typeof root.onTransact
    const second = support.rawClient(t, root)
    await new Promise(setImmediate)
    first.peer.send(support.message({ kind: support.TRANSACTION, id: 2, code: PING }))
    second.peer.send(support.message({ kind: support.TRANSACTION, flags: support.ONEWAY, code: 9 }))
    const kinds: number[] = []
    while (kinds.length < 2) {
      const received = await first.peer.receive()
      for (const fd of received?.fds ?? []) fd.close()
      kinds.push(...(received?.messages ?? []).map(({ kind }) => kind).filter((kind) => kind !== support.CONTINUATION))
    }
    t.strictSame(kinds, [support.REPLY, support.TRANSACTION], way)
  }
})

t.test('an answer that was put off and did not leave comes before what found the queue full after it', async (t) => {
  // Which packet is the first that the kernel does not take depends on how many there were before.
  for (const before of [0, 1, 2]) {
    const { first } = await calledBack(t)
    const root = new Binder()
    root.onTransact = ((code: number) => {
      WAYS['a oneway call']?.(first.callback, code)
      return true
    }) as unknown as typeof root.onTransact
    const second = support.rawClient(t, root)
    for (let i = 0; i < before; i++) {
      first.peer.send(support.message({ kind: support.TRANSACTION, id: 1, code: PING }))
      await nextTurns()
    }
    let sent = 1
    while (first.server.queuedBytes === 0) {
      // In one batch: the answer is put off, and what the other channel's call sends here is not.
      first.peer.send(support.message({ kind: support.TRANSACTION, id: ++sent, code: PING }))
      second.peer.send(support.message({ kind: support.TRANSACTION, flags: support.ONEWAY, code: sent }))
      await nextTurns()
    }
    const seen = (await first.peer.receiveMessages(before + 2 * (sent - 1))).slice(before)
    const expected = Array.from({ length: sent - 1 }, (_, i) => [`answer ${i + 2}`, `call ${i + 2}`])
    t.strictSame(
      seen.map(({ kind, id, code }) => (kind === support.REPLY ? `answer ${id}` : `call ${code}`)),
      expected.flat(),
    )
  }
})

async function nextTurns(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
}

/** A client that has a callback at a service. */
async function calledBack(t: Test) {
  const heard: BinderProxy[] = []
  const registering = new support.ScriptedBinder({
    1: (data) => heard.push(data.readStrongBinder() as BinderProxy),
  })
  const first = support.rawClient(t, registering)
  const object = { offset: 0, type: support.SENDERS_BINDER, number: 7, acceptsFileDescriptors: true }
  first.peer.send(support.message({ kind: support.TRANSACTION, id: 1, code: 1, objectCount: 1 }, bodyOf(object)))
  await first.peer.receiveMessages(1)
  return { first: { ...first, callback: heard[0] as BinderProxy } }
}
