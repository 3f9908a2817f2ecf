/** A channel that has ended is held by nobody, whatever was under way on it; and who holds a dead proxy holds no more. */
import { Hub } from 'memfd-native'
import t from 'tap'
import { Binder, type BinderProxy, type IBinder, MemoryFile, type Parcel } from '../../src/index.ts'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)
support.watchdog(t)
Hub.current()

/** Never refuses, and counts. */
class Budget implements support.ChannelBudget {
  used = 0
  charge(_what: string, count: number): void {
    this.used += count
  }
  refund(_what: string, count: number): void {
    this.used -= count
  }
  carryOver(_what: string, count: number): () => void {
    return () => this.refund(_what, count)
  }
}

interface Pair {
  readonly client: support.Session
  readonly server: support.Session
  readonly root: support.ScriptedBinder
  /** What else is to be held by nobody. */
  readonly others: object[]
}

function open(): Pair {
  const { client, server } = support.makeChannelPair(false)
  const root = new support.ScriptedBinder({
    1: (data) => void data.readStrongBinder(),
    2: () => new Promise(() => undefined),
    3: (_data, reply) => reply.writeStrongBinder(new Binder()),
    5: (_data, reply) => {
      using file = new MemoryFile('read', 8)
      reply.writeFileDescriptor(file.getFileDescriptor())
    },
  })
  return {
    server: new support.Session(server, { role: 'server', root, peerAcceptsFileDescriptors: true }),
    client: new support.Session(client, { role: 'client', root: null, peerAcceptsFileDescriptors: false }),
    root,
    others: [],
  }
}

function end({ client, server }: Pair): void {
  client.close()
  server.close()
}

const writeCallback = (others: object[]) => (data: Parcel) => {
  const callback = new Binder()
  others.push(callback)
  data.writeStrongBinder(callback)
}

const STATES: Record<string, (pair: Pair) => unknown> = {
  'before its HELLO was read': () => undefined,
  'in its first second': ({ client }) => client.root.pingBinder(),
  'after its first second': async ({ client }) => {
    await client.root.pingBinder()
    client.weakenRoot()
  },
  'with a death link': ({ client }) => client.root.linkToDeath({ binderDied: () => undefined }),
  'with a callback that the service holds': ({ client, others }) =>
    support.call(client.root, 1, { write: writeCallback(others) }),
  'with an object of the service': async ({ client, others }) => {
    const proxy = await support.call(client.root, 3, { read: (reply) => reply.readStrongBinder() as BinderProxy })
    proxy.linkToDeath({ binderDied: () => undefined })
    others.push(proxy)
  },
  'with a call that is never finished': async ({ client }) => {
    support.call(client.root, 2).catch(() => undefined)
    await client.root.pingBinder()
  },
  'with oneway calls that wait': async ({ client }) => {
    for (let i = 0; i < 5; i++) await support.call(client.root, 2, { flags: Binder.FLAG_ONEWAY })
    await client.root.pingBinder()
  },
  'with bytes that wait': async ({ client }) => {
    const write = (data: Parcel) => data.writeByteArray(Buffer.alloc(900_000))
    await support.call(client.root, 4, { write, flags: Binder.FLAG_ONEWAY })
  },
  'with descriptors that were read and paid for': async ({ client, server }) => {
    server.chargeTo(new Budget())
    const pfd = await support.call(client.root, 5, { read: (reply) => reply.readFileDescriptor() })
    pfd?.close()
  },
}

for (const [state, prepare] of Object.entries(STATES)) {
  t.test(`a channel that ended ${state} is held by nobody`, async (t) => {
    const held = await support.heldObjects(async () => {
      const pairs = Array.from({ length: 8 }, open)
      for (const pair of pairs) await prepare(pair)
      pairs.forEach(end)
      return pairs.flatMap(({ client, server, root, others }) => [client, server, root, ...others])
    })
    t.equal(held, 0)
  })
}

t.test('objects that a dead peer held are not held any more, also while there is a proxy of the peer', async (t) => {
  const kept: IBinder[] = []
  const held = await support.heldObjects(async () => {
    const pair = open()
    kept.push(pair.client.root)
    for (let i = 0; i < 5; i++) await support.call(pair.client.root, 1, { write: writeCallback(pair.others) })
    end(pair)
    return pair.others
  })
  t.equal(held, 0)
  t.equal(kept[0]?.isBinderAlive(), false)
})

t.test('recipients of a death that was told, or of a proxy that was closed, are held by nobody', async (t) => {
  const kept: BinderProxy[] = []
  const pairs = [open(), open(), open()] as const
  const held = await support.heldObjects(() => {
    const recipients = pairs.map(({ client }) => {
      const recipient = { binderDied: () => undefined }
      kept.push(client.root)
      client.root.linkToDeath(recipient)
      if (client === pairs[2].client) client.root.unlinkToDeath(recipient)
      return recipient
    })
    end(pairs[0])
    pairs[1].client.root.close()
    return recipients
  })
  t.equal(held, 0)
  t.equal(kept[2]?.isBinderAlive(), true, 'only its link is gone')
  pairs.forEach(end)
})

t.test('a channel whose last descriptors are unread is held by nobody: only its socket is', async (t) => {
  const peers: support.RawPeer[] = []
  const budget = new Budget()
  const held = await support.heldObjects(async () => {
    const { client, server } = support.makeChannelPair(false)
    using file = new MemoryFile('unread', 8)
    const root = new support.ScriptedBinder({
      1: (_data, reply) => reply.writeFileDescriptor(file.getFileDescriptor()),
    })
    const session = new support.Session(server, { role: 'server', root, peerAcceptsFileDescriptors: true })
    session.chargeTo(budget)
    const peer = new support.RawPeer(t, client)
    peers.push(peer)
    peer.sendHello()
    for (const id of [1, 2]) peer.send(support.message({ kind: support.TRANSACTION, id, code: 1 }))
    while (budget.used < 2) await new Promise(setImmediate)
    session.close()
    return [session, root]
  })
  t.equal(held, 0)
  t.equal(budget.used, 2, 'and is paid for')
  peers[0]?.close()
  while (budget.used > 0) await new Promise(setImmediate)
})
