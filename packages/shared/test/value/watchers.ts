/** The service's side of watching, with a client at the other end of a real channel. */

import { Hub } from 'memfd-native'
import t, { type Test } from 'tap'
import { Binder, type BinderProxy, type ImplementationOf, IWatch, IWatcher, Parcel } from '../../src/index.ts'
import * as support from '../../test-support/index.ts'

const LIMITS = support.fitServiceLimits({}, Number.POSITIVE_INFINITY)
const OWN = 1000
const MOST = LIMITS.watchers.perPeer ?? Number.NaN

support.watchdog(t)
support.leakChecked(t)
Hub.current() // keeps a descriptor for as long as the thread lives

/** A watcher that counts its notices. */
class Callback extends IWatcher.Stub implements ImplementationOf<typeof IWatcher> {
  notices = 0

  onChange(): void {
    this.notices += 1
  }
}

function makeService() {
  const watchers = new support.Watchers()
  const ledger = new support.Ledger({ limits: LIMITS, ownUid: OWN })
  /** A channel of its own, with an account of its own. Closed with the test. */
  const openServer = (t: Test) => {
    const account = ledger.open(OWN)
    const { server, client } = support.makeChannelPair(false)
    const root = new support.WatchService(watchers)
    const caller = { pid: process.pid, uid: process.getuid?.() ?? 0 }
    let end = () => {}
    const ended = new Promise<void>((resolve) => {
      end = resolve
    })
    const session = new support.Session(server, {
      role: 'server',
      root,
      peerAcceptsFileDescriptors: true,
      caller,
      onEnd: () => end(),
    })
    session.chargeTo(account)
    t.teardown(() => session.close())
    return { client, session, account, ended }
  }
  const connect = (t: Test) => {
    const { client, account, ended } = openServer(t)
    const session = new support.Session(client, { role: 'client', root: null, peerAcceptsFileDescriptors: false })
    t.teardown(() => session.close())
    return { session, account, ended, watch: IWatch.asInterface(session.root) }
  }
  return { watchers, ledger, openServer, connect }
}

/** What was sent before this has arrived, in both directions. */
async function settled(...channels: { session: support.Session }[]): Promise<void> {
  for (const { session } of channels) await session.root.pingBinder()
}

t.test('a watcher is told of a change, and of the next one only when it has acknowledged', async (t) => {
  const { watchers, connect } = makeService()
  const client = connect(t)
  const callback = new Callback()
  await client.watch.watch(callback)
  await settled(client)
  t.equal(callback.notices, 0, 'what was before is no change')
  for (let i = 0; i < 5; i++) watchers.changed()
  await settled(client)
  t.equal(callback.notices, 1)
  await client.watch.acknowledge(callback)
  await settled(client)
  t.equal(callback.notices, 2, 'for the four that came meanwhile')
  await client.watch.acknowledge(callback)
  await settled(client)
  t.equal(callback.notices, 2, 'there is no news')
  watchers.changed()
  await settled(client)
  t.equal(callback.notices, 3)
})

t.test('to acknowledge what was never told changes nothing', async (t) => {
  const { watchers, connect } = makeService()
  const client = connect(t)
  const [callback, stranger] = [new Callback(), new Callback()]
  await client.watch.watch(callback)
  for (const who of [callback, stranger, null]) await client.watch.acknowledge(who)
  watchers.changed()
  await settled(client)
  t.strictSame([callback.notices, stranger.notices], [1, 0])
})

t.test('to watch twice is to watch once', async (t) => {
  const { watchers, connect } = makeService()
  const client = connect(t)
  const callback = new Callback()
  await client.watch.watch(callback)
  await client.watch.watch(callback)
  t.equal(watchers.size, 1)
  watchers.changed()
  await settled(client)
  t.equal(callback.notices, 1)
  await client.watch.unwatch(callback)
  t.equal(watchers.size, 0)
})

t.test('who has left is told nothing more, and may come again', async (t) => {
  const { watchers, connect } = makeService()
  const client = connect(t)
  const callback = new Callback()
  await client.watch.watch(callback)
  watchers.changed()
  await client.watch.unwatch(callback)
  watchers.changed()
  await settled(client)
  t.equal(callback.notices, 1)
  t.strictSame(client.account.rest, [])
  await t.rejects(async () => client.watch.unwatch(callback), { code: 'ERR_ILLEGAL_STATE' })
  await client.watch.watch(callback)
  watchers.changed()
  await settled(client)
  t.equal(callback.notices, 2)
})

t.test('a null callback is refused, and one that came by no channel', async (t) => {
  const { watchers, connect } = makeService()
  await t.rejects(async () => connect(t).watch.watch(null), { code: 'ERR_NULL_POINTER' })
  const local = new support.WatchService(watchers)
  t.throws(() => local.watch(new Callback()), { code: 'ERR_ILLEGAL_STATE' })
  t.equal(watchers.size, 0)
})

t.test('more watchers than are told in one turn are all told', async (t) => {
  const { watchers, connect } = makeService()
  const clients = Array.from({ length: 3 }, () => connect(t))
  const callbacks = await Promise.all(
    clients.flatMap(({ watch }) =>
      Array.from({ length: 200 }, async () => {
        const callback = new Callback()
        await watch.watch(callback)
        return callback
      }),
    ),
  )
  t.ok(callbacks.length > 2 * support.VALUE_LIMITS.noticesPerTurn.limit)
  watchers.changed()
  watchers.changed()
  while (callbacks.some(({ notices }) => notices === 0)) await settled(...clients)
  t.ok(callbacks.every(({ notices }) => notices === 1))
})

t.test('watchers go with their channel, and nobody else does', async (t) => {
  const { watchers, ledger, connect } = makeService()
  const [going, staying] = [connect(t), connect(t)]
  const callback = new Callback()
  for (let i = 0; i < 10; i++) await going.watch.watch(new Callback())
  await staying.watch.watch(callback)
  going.session.close()
  await going.ended
  t.equal(watchers.size, 1)
  t.equal(ledger.used('watchers'), 1)
  t.strictSame(going.account.rest, [])
  watchers.changed()
  await settled(staying)
  t.equal(callback.notices, 1)
})

t.test(`a channel may have ${MOST} watchers; one more is refused, and the channel lives on`, async (t) => {
  const { watchers, connect } = makeService()
  const client = connect(t)
  for (let i = 0; i < MOST; i++) await client.watch.watch(new Callback())
  // More often than a channel has room for objects: those that are refused are given back.
  for (let i = 0; i < 5000; i++) {
    try {
      await client.watch.watch(new Callback())
      t.fail('one too many')
    } catch (error) {
      if ((error as { code: string }).code !== 'ERR_LIMIT') throw error
    }
  }
  t.equal(watchers.size, MOST)
  t.equal(await client.session.root.pingBinder(), true)
})

t.test('a watcher whose channel is full cannot be told: it loses the channel, and so learns of it', async (t) => {
  const { watchers, openServer } = makeService()
  const { client, session, account, ended } = openServer(t)
  const peer = new support.RawPeer(t, client)
  peer.sendHello()
  peer.send(watchRequest())
  await peer.receiveMessages(1)
  t.equal(watchers.size, 1)
  await fillQueue(session.root)
  t.notOk(session.isEnded)
  watchers.changed()
  await ended
  t.equal(watchers.size, 0)
  t.strictSame(account.rest, [])
})

/** Calls that nobody reads, until no more are taken. */
async function fillQueue(peer: BinderProxy): Promise<void> {
  const data = Parcel.obtain()
  data.writeByteArray(Buffer.alloc(60_000))
  try {
    for (;;) await peer.transact(1, data, null, Binder.FLAG_ONEWAY)
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_LIMIT') throw error
  } finally {
    data.recycle()
  }
}

/** A call of IWatch, watch if nothing else is said. The callback is object `number` of the sender. */
function watchRequest(
  code: number = IWatch.TRANSACTION_watch,
  number = 1,
  call: { id: number; flags?: number } = { id: 1 },
): Buffer {
  const token = tokenOf(IWatch.DESCRIPTOR)
  const binder = support.wire.body(24, [{ offset: 0, type: support.wire.SENDERS_BINDER, number }])
  const table = Buffer.alloc(4)
  table.writeUInt32LE(token.length)
  const fields = { kind: support.wire.TRANSACTION, ...call, code, objectCount: 1 }
  return support.wire.message(fields, Buffer.concat([token, binder.subarray(0, 24), table]))
}

t.test('a callback that does not watch is given back at once, whatever it was given for', async (t) => {
  const { openServer } = makeService()
  const { client, session, account } = openServer(t)
  session.chargeTo(account)
  const peer = new support.RawPeer(t, client)
  peer.sendHello()
  peer.send(watchRequest(IWatch.TRANSACTION_unwatch, 1))
  peer.send(watchRequest(IWatch.TRANSACTION_acknowledge, 2, { id: 0, flags: support.wire.ONEWAY }))
  const messages = await peer.receiveMessages(3)
  const returned = messages.filter(({ kind }) => kind === support.wire.RELEASE).map(({ object }) => object)
  t.same(returned.sort(), [1, 2])
  t.same(account.rest, [])
})

function tokenOf(descriptor: string): Buffer {
  const data = Parcel.obtain()
  data.writeInterfaceToken(descriptor)
  const bytes = data.marshall()
  data.recycle()
  return bytes
}
