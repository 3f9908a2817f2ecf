/**
 * Peers that speak the protocol badly, to a whole daemon: each loses its channel with one line of log, and a client that
 * was there before notices nothing. That every rule is checked is the business of the channel's own tests.
 */
import { spawnSync } from 'node:child_process'
import type { SharedValue } from '@memsvc/shared'
import { IControl } from '@memsvc/shared/internal'
import {
  type Daemon,
  goodPackets,
  hostilePackets,
  leakChecked,
  OTHER_UID,
  otherUserProblem,
  type RawPeer,
  seededRandom,
  watchdog,
  wire,
} from '@memsvc/shared/test-support'
import { constants, memfdCreate, SyscallError, setPassRights, socketpair } from 'memfd-native'
import t, { type Test } from 'tap'
import { MEMSVC, type Status, startMemsvc, warnings } from '../../test-support/memsvc.ts'
import {
  openConnection,
  openServiceChannel,
  openServiceEnd,
  request,
  requestBody,
} from '../../test-support/raw-channels.ts'
import { openValue, statusOf } from '../../test-support/value.ts'

const VIOLATION = 'ended: it broke the protocol'
const PING = 0x5f504e47
const FUZZ_CHANNELS = 200
const HELLO = wire.message({ kind: wire.HELLO, code: 1 })

watchdog(t)
leakChecked(t)

const CHANNELS = { connection: openConnection, 'service channel': openServiceChannel }

/** A client that was there before, and what the daemon held then. */
interface Canary {
  readonly value: SharedValue
  readonly before: Status
}

async function startWithCanary(t: Test): Promise<Daemon & Canary> {
  const daemon = await startMemsvc(t)
  const value = await openValue(t, daemon.registry)
  return { ...daemon, value, before: await statusOf(value) }
}

/** The canary reads and writes, and the daemon holds what it held before anybody else came. */
async function unharmed(t: Test, { value, before }: Canary): Promise<void> {
  const next = value.get() + 1
  await value.set(next)
  t.equal(value.get(), next)
  let status = await statusOf(value)
  while (status.connections !== before.connections || status.channels !== before.channels)
    status = await statusOf(value)
  t.match(status, { fds: before.fds, mappings: before.mappings, watchers: 0 })
}

function violations(log: string): string[] {
  return warnings(log).map(({ msg, reason }) => (msg === VIOLATION ? String(reason) : msg))
}

/** Whether a peer that takes no descriptors keeps them from being sent: Linux 6.16. */
function kernelRefusesRights(): boolean {
  const ends = socketpair(constants.SOCK_SEQPACKET)
  const isKnown = setPassRights(ends[0], false)
  for (const end of ends) end.close()
  return isKnown
}

/** False when the channel has ended meanwhile, or takes no more now. */
function trySend(peer: RawPeer, packet: Buffer): boolean {
  try {
    peer.send(packet)
    return true
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error
    return false
  }
}

async function askForEver(peer: RawPeer, question: Buffer): Promise<never> {
  for (;;) await peer.offer(question)
}

for (const [kind, open] of Object.entries(CHANNELS)) {
  t.test(`each broken rule ends that ${kind}, with one line of log`, async (t) => {
    const daemon = await startWithCanary(t)
    const broken = hostilePackets.filter(({ fdCount = 0 }) => fdCount === 0)
    for (const { packets } of broken) {
      const peer = await open(t, daemon.registry)
      peer.sendHello()
      for (const packet of packets) peer.send(packet)
      await peer.ended()
    }
    await unharmed(t, daemon)
    daemon.program.kill('SIGTERM')
    t.equal(violations((await daemon.program.ending).stderr).length, broken.length)
  })

  t.test(`what comes before the HELLO, or with it, ends that ${kind}`, async (t) => {
    const daemon = await startWithCanary(t)
    const call = wire.message({ kind: wire.TRANSACTION, id: 1, code: PING })
    const openings = [call, Buffer.alloc(0), Buffer.alloc(65_537), wire.packet(HELLO, call), wire.packet(HELLO, HELLO)]
    for (const opening of openings) {
      const peer = await open(t, daemon.registry)
      peer.send(opening)
      await peer.ended()
    }
    await unharmed(t, daemon)
    daemon.program.kill('SIGTERM')
    t.equal(violations((await daemon.program.ending).stderr).length, openings.length)
  })

  t.test(`a ${kind} of another version is told which one is spoken`, async (t) => {
    const daemon = await startWithCanary(t)
    const peer = await open(t, daemon.registry)
    peer.send(wire.message({ kind: wire.HELLO, version: 2, code: 2 }))
    const [answer] = await peer.receiveMessages(1)
    t.match(answer, { kind: wire.FAILURE, id: 0, code: 6 })
    await peer.ended()
    await unharmed(t, daemon)
  })

  t.test(`who says nothing on a ${kind} is sent away after a while, without a line of log`, async (t) => {
    const daemon = await startWithCanary(t)
    const peers = await Promise.all(Array.from({ length: 100 }, () => open(t, daemon.registry)))
    await Promise.all(peers.map((peer) => peer.ended()))
    await unharmed(t, daemon)
    t.strictSame(violations(daemon.program.stderr.text), [])
  })

  t.test(`descriptors do not get into the daemon by a ${kind}`, async (t) => {
    const daemon = await startWithCanary(t)
    using region = memfdCreate('unwanted')
    const withDescriptor = wire.message(
      { kind: wire.TRANSACTION, id: 1, code: PING, objectCount: 1, descriptorCount: 1 },
      wire.body(24, [{ offset: 0, type: wire.DESCRIPTOR, number: 0 }]),
    )
    for (const sayHello of [false, true]) {
      const peer = await open(t, daemon.registry)
      if (sayHello) peer.sendHello()
      if (kernelRefusesRights()) {
        t.throws(() => peer.send(withDescriptor, [region]), { code: 'EPERM' })
        if (!sayHello) peer.sendHello()
        peer.send(wire.message({ kind: wire.TRANSACTION, id: 1, code: PING }))
        t.match(await peer.receiveMessages(1), [{ kind: wire.REPLY, id: 1 }], 'and the channel lives on')
      } else {
        peer.send(withDescriptor, [region])
        await peer.ended()
      }
      peer.close()
    }
    await unharmed(t, daemon)
  })

  t.test(`refusals leave a ${kind} as it was, without a line of log`, async (t) => {
    const daemon = await startWithCanary(t)
    const peer = await open(t, daemon.registry)
    peer.sendHello()
    const UNKNOWN_TRANSACTION = 1
    const UNKNOWN_OBJECT = 2
    const refusals: [call: wire.Fields, body: Buffer, answer: object][] = [
      [{ kind: wire.TRANSACTION, code: 999 }, Buffer.alloc(0), { kind: wire.FAILURE, code: UNKNOWN_TRANSACTION }],
      [{ kind: wire.TRANSACTION, code: 1, object: 5 }, Buffer.alloc(0), { kind: wire.FAILURE, code: UNKNOWN_OBJECT }],
      [{ kind: wire.TRANSACTION, code: 1 }, Buffer.alloc(0), { kind: wire.REPLY }], // no token: a security exception
      [{ kind: wire.TRANSACTION, code: 1 }, requestBody('some.other.IInterface'), { kind: wire.REPLY }],
    ]
    for (const [i, [fields, body, answer]] of refusals.entries()) {
      peer.send(wire.message({ ...fields, id: i + 1 }, body))
      const [message] = await peer.receiveMessages(1)
      t.match(message, { ...answer, id: i + 1 })
      if (message?.kind === wire.REPLY) t.equal(message.body.readInt32LE(0), -1, 'a security exception')
    }
    peer.close()
    await unharmed(t, daemon)
    t.strictSame(violations(daemon.program.stderr.text), [])
  })

  t.test(`bytes that are almost right, ${FUZZ_CHANNELS} times, by a ${kind}`, async (t) => {
    const daemon = await startWithCanary(t)
    const random = seededRandom(t)
    for (let round = 0; round < FUZZ_CHANNELS; round++) {
      const peer = await open(t, daemon.registry)
      peer.sendHello()
      for (let i = 0; i < 10; i++) {
        const packet = Buffer.from(goodPackets[random.int(goodPackets.length)] ?? [])
        for (let changes = random.int(3); changes > 0; changes--) packet[random.int(packet.length)] = random.int(256)
        if (!trySend(peer, packet)) break
      }
      peer.close()
    }
    await unharmed(t, daemon)
    const others = warnings(daemon.program.stderr.text).filter(({ msg }) => msg !== VIOLATION)
    t.strictSame(others, [], 'nothing worse in the log than violations')
  })
}

t.test('who asks and never reads loses his channel, and the daemon no memory', async (t) => {
  const daemon = await startWithCanary(t)
  const peer = await openServiceChannel(t, daemon.registry)
  peer.sendHello()
  const status = request(IControl.DESCRIPTOR, IControl.TRANSACTION_status)
  await t.rejects(askForEver(peer, status), { code: /EPIPE|ECONNRESET/ })
  await unharmed(t, daemon)
  t.equal(violations(daemon.program.stderr.text).length, 1)
})

t.test('a channel is for the user that the registry made it for', { skip: otherUserProblem(MEMSVC) }, async (t) => {
  const daemon = await startWithCanary(t)
  using end = await openServiceEnd(t, daemon.registry)
  const program = 'import os, sys; os.write(3, bytes.fromhex(sys.argv[1]))'
  const { status, stderr } = spawnSync('python3', ['-c', program, HELLO.toString('hex')], {
    stdio: ['ignore', 'ignore', 'pipe', end.fd],
    uid: OTHER_UID,
    gid: OTHER_UID,
    cwd: '/',
    encoding: 'utf8',
  })
  t.equal(status, 0, stderr)
  await daemon.program.stderr.find((line) => line.includes(VIOLATION))
  t.strictSame(violations(daemon.program.stderr.text), [`HELLO of uid ${OTHER_UID}, the channel was made for 0`])
})
