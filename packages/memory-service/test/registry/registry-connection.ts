/** The registry over one connection: what it does not keep it gives back, or the caller's process would not end. */
import { Binder, Parcel } from '@memsvc/shared'
import { IServiceManager, makeChannelPair, Session } from '@memsvc/shared/internal'
import { Hub } from 'memfd-native'
import t, { type Test } from 'tap'
import * as support from '../../test-support/index.ts'

const OWN = 1000
const STRANGER = 2000
const FIRST = 0
/** The caller's number for the object that it sends. */
const OBJECT = 7

support.leakChecked(t)
support.watchdog(t)
Hub.current() // keeps a descriptor for as long as the thread lives

const { TRANSACTION_addService, TRANSACTION_registerForNotifications, TRANSACTION_unregisterForNotifications } =
  IServiceManager

/** A connection of this user, whose other end is made of bytes. */
function connect(t: Test, uid: number) {
  const registry = new support.Registry(new support.Access(OWN, { rules: [], writers: new support.People() }))
  const ledger = support.makeLedger(OWN)
  const holder = { caller: { pid: 99, uid: OWN }, groups: [], account: ledger.open(OWN), hasHungUp: () => false }
  registry.add(holder, { name: 'held', binder: new Binder(), acceptsFileDescriptors: false, dumpPriority: 8 })
  const peer = { caller: { pid: 100, uid }, groups: [], account: ledger.open(uid), hasHungUp: () => false }
  const gate = new support.Gate()
  gate.open()
  const pair = makeChannelPair(false)
  const root = new support.RegistryConnection(registry, peer, gate)
  const session = new Session(pair.server, {
    role: 'server',
    root,
    peerAcceptsFileDescriptors: true,
    caller: peer.caller,
  })
  t.teardown(() => session.close())
  const raw = new support.RawPeer(t, pair.client)
  raw.sendHello()
  return raw
}

/** A call with a name and an object, and what `addService` has behind them. */
function callWithObject(code: number, name: string): Buffer {
  const data = Parcel.obtain()
  data.writeInterfaceToken(IServiceManager.DESCRIPTOR)
  data.writeString(name)
  const offset = data.dataSize()
  const more = code === TRANSACTION_addService ? 2 : 0 // whether it takes descriptors; its priority
  for (let i = 0; i < 6 + more; i++) data.writeInt(0)
  const bytes = data.marshall()
  data.recycle()
  const body = Buffer.concat([bytes, Buffer.alloc(4)])
  body.writeUInt32LE(support.wire.SENDERS_BINDER, offset)
  body.writeUInt32LE(OBJECT, offset + 4)
  body.writeUInt32LE(offset, bytes.length)
  return support.wire.message(
    { kind: support.wire.TRANSACTION, id: 1, code, dataSize: bytes.length, objectCount: 1 },
    body,
  )
}

const REFUSED: [what: string, code: number, name: string, uid: number][] = [
  ['a service of a stranger', TRANSACTION_addService, 'mine', STRANGER],
  ['a service of no name', TRANSACTION_addService, 'a b', OWN],
  ['a service whose name is held', TRANSACTION_addService, 'held', OWN],
  ['a callback for no name', TRANSACTION_registerForNotifications, 'a b', OWN],
  ['a callback that was not registered', TRANSACTION_unregisterForNotifications, 'held', OWN],
]

for (const [what, code, name, uid] of REFUSED) {
  t.test(`${what} is refused, and its object given back`, async (t) => {
    const peer = connect(t, uid)
    peer.send(callWithObject(code, name))
    const messages = await peer.receiveMessages(2)
    const release = messages.find(({ kind }) => kind === support.wire.RELEASE)
    t.match(release, { object: OBJECT, code: 1 })
    const answer = messages.find(({ kind }) => kind === support.wire.REPLY)
    t.ok(answer !== undefined && answer.body.readInt32LE(FIRST) < 0, 'an exception')
  })
}

t.test('a service that is added is kept', async (t) => {
  const peer = connect(t, OWN)
  peer.send(callWithObject(TRANSACTION_addService, 'mine'))
  const [answer] = await peer.receiveMessages(1)
  t.equal(answer?.body.readInt32LE(FIRST), 0)
  peer.send(support.wire.message({ kind: support.wire.TRANSACTION, id: 2, code: Binder.PING_TRANSACTION }))
  t.match(await peer.receiveMessages(1), [{ kind: support.wire.REPLY, id: 2 }], 'and nothing was given back before')
})
