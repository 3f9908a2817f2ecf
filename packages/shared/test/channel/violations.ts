/**
 * A peer that breaks the protocol loses its channel, and nobody else loses anything: its descriptors are closed, other
 * channels go on. One broken rule at a time, to a server and to a client; then what is only refused.
 */
import { constants, socketpair } from 'memfd-native'
import t, { type Test } from 'tap'
import { Binder } from '../../src/index.ts'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)
support.watchdog(t)

let served = 0

/** Knows every code, and accepts descriptors. */
class Willing extends Binder {
  constructor() {
    super({ acceptFileDescriptors: true })
  }

  override onTransact(): boolean {
    served += 1
    return true
  }
}

/** Both ends of a channel have to bear the same. */
const roles = {
  server: (t: Test) => support.rawClient(t, new Willing()),
  client: (t: Test) => support.rawServer(t, { root: new Willing(), peerAcceptsFileDescriptors: true }),
}

for (const [role, open] of Object.entries(roles)) {
  for (const { name, packets, fdCount = 0 } of support.hostilePackets) {
    t.test(`${name}: a ${role} ends that channel, and only that`, async (t) => {
      const bystander = support.sessionPair(t, new Willing())
      const { peer, ended } = open(t)
      packets.forEach((bytes, i) => {
        peer.send(bytes, i === packets.length - 1 ? support.regions(t, fdCount) : [])
      })
      t.type(await ended(), support.Violation)
      await peer.ended()
      t.equal(await bystander.proxy.pingBinder(), true)
    })
  }
}

for (const [name, first] of [
  ['a call', support.message({ kind: support.TRANSACTION, id: 1, code: 1 })],
  [
    'HELLO with a call behind it',
    Buffer.concat([
      support.message({ kind: support.HELLO, code: 1 }),
      support.message({ kind: support.TRANSACTION, id: 1 }),
    ]),
  ],
  ['an empty packet', Buffer.alloc(0)],
  ['one byte of a HELLO', support.message({ kind: support.HELLO, code: 1 }).subarray(0, 1)],
] as const) {
  t.test(`${name} as the first packet ends the channel`, async (t) => {
    const { peer, ended } = support.rawClient(t, new Willing(), { hello: false })
    peer.send(first)
    t.type(await ended(), support.Violation)
    await peer.ended()
  })
}

t.test('a HELLO of another uid than the registry saw ends the channel', async (t) => {
  const { peer, ended, server } = support.rawClient(t, new Willing(), { expectedUid: 4711 })
  t.type(await ended(), support.Violation)
  t.match(server.caller, { pid: 0, uid: 0xffffffff }, 'nobody has called')
  await peer.ended()
})

t.test('a HELLO without credentials ends the channel', async (t) => {
  const [end, other] = socketpair(constants.SOCK_SEQPACKET) // nobody asked for SO_PASSCRED
  const reason = await new Promise<Error>((resolve) => {
    const peer = new support.RawPeer(t, other)
    const options = {
      role: 'server',
      root: new Willing(),
      peerAcceptsFileDescriptors: true,
      expectedUid: 0,
      onEnd: resolve,
    } as const
    const session = new support.Session(end, options)
    t.teardown(() => session.close())
    peer.sendHello()
    void peer.ended()
  })
  t.type(reason, support.Violation)
})

t.test('a client that never says HELLO is given five seconds', async (t) => {
  const begin = process.hrtime.bigint()
  const { peer } = support.rawClient(t, new Willing(), { hello: false })
  await peer.ended()
  t.ok(process.hrtime.bigint() - begin > 4_900_000_000n)
})

t.test('a client whose HELLO came is given as long as it likes', async (t) => {
  const { peer, server } = support.rawClient(t, new Willing())
  peer.send(support.message({ kind: support.TRANSACTION, id: 1, code: 1 }))
  await peer.receive()
  t.equal(server.isEnded, false)
  t.same(
    process.getActiveResourcesInfo().filter((name) => name === 'Timeout'),
    [],
    'no deadline is left',
  )
})

t.test('nothing of a packet that is too long is served, not even complete messages', async (t) => {
  for (const [role, open] of Object.entries(roles)) {
    const { peer, ended } = open(t)
    const call = (bytes: number) =>
      support.message({ kind: support.TRANSACTION, flags: support.ONEWAY, code: 7 }, Buffer.alloc(bytes))
    served = 0
    peer.send(support.packet(call(65_504), call(0)))
    t.match(await ended(), { message: /a packet was too long/ }, role)
    t.equal(served, 0)
  }
})

// --- descriptors that are not accepted ---

t.test('if the kernel refuses descriptors, the sender is told, and the channel lives', async (t) => {
  const { peer } = support.rawClient(t, new Binder())
  try {
    peer.send(support.message({ kind: support.TRANSACTION, id: 1, code: 1, descriptorCount: 1 }), support.regions(t, 1))
    t.comment('this kernel has no SO_PASSRIGHTS')
    await peer.ended()
  } catch (error) {
    t.match(error, { code: 'EPERM' })
    peer.send(support.message({ kind: support.TRANSACTION, id: 2, code: 0x5f504e47 }))
    t.match(await peer.receiveMessages(1), [{ kind: support.REPLY, id: 2 }])
  }
})

t.test('if the kernel does not refuse descriptors, they are never received, and the channel ends', async (t) => {
  const [end, other] = socketpair(constants.SOCK_SEQPACKET) // nobody set SO_PASSRIGHTS
  const peer = new support.RawPeer(t, other)
  const ended = new Promise<Error>((resolve) => {
    const session = new support.Session(end, {
      role: 'server',
      root: new Binder(),
      peerAcceptsFileDescriptors: true,
      onEnd: resolve,
    })
    t.teardown(() => session.close())
  })
  peer.sendHello()
  const table = support.body(24, [{ offset: 0, type: support.DESCRIPTOR, number: 0 }])
  peer.send(
    support.message({ kind: support.TRANSACTION, id: 1, code: 1, objectCount: 1, descriptorCount: 1 }, table),
    support.regions(t, 1),
  )
  await peer.ended()
  t.match(await ended, { message: /descriptors came that are not accepted/ })
  t.type(await ended, support.Violation)
})

// --- what is well formed but not to be had ---

t.test('a call to no object is refused, gives its binders back, and the channel lives', async (t) => {
  const { peer, server } = support.rawClient(t, new Willing())
  const table = support.body(48, [
    { offset: 0, type: support.SENDERS_BINDER, number: 7 },
    { offset: 24, type: support.DESCRIPTOR, number: 0 },
  ])
  const fields = { kind: support.TRANSACTION, id: 5, object: 99, objectCount: 2, descriptorCount: 1 }
  peer.send(support.message(fields, table), support.regions(t, 1))
  t.match(await peer.receiveMessages(2), [
    { kind: support.RELEASE, object: 7, code: 1 },
    { kind: support.FAILURE, id: 5, code: 2 },
  ])
  t.equal(server.isEnded, false)
})

t.test('descriptors to an object that takes none are closed, the call refused, and the channel lives', async (t) => {
  const { peer, client } = support.rawServer(t, { root: new Binder() })
  const table = support.body(24, [{ offset: 0, type: support.DESCRIPTOR, number: 0 }])
  peer.send(
    support.message({ kind: support.TRANSACTION, id: 5, objectCount: 1, descriptorCount: 1 }, table),
    support.regions(t, 1),
  )
  await peer.receive() // HELLO
  t.match(await peer.receiveMessages(1), [{ kind: support.FAILURE, id: 5, code: 3 }])
  t.equal(client.isEnded, false)
})
