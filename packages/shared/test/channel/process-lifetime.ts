/**
 * What keeps a process alive: a call without an answer, an object that the peer holds, bytes that it has not read. An
 * open channel does not, nor does a death link. The other process is the client; this side of its channel is bytes.
 */

import t, { type Test } from 'tap'
import { makeChannelPair } from '../../src/channel/channel-pair.ts'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)
support.watchdog(t)

const program = support.nodeUrl.fileURLToPath(import.meta.resolve('../../test-support/fixtures/channel-process.js'))

interface Client {
  readonly peer: support.RawPeer
  /** The process' exit code and what it printed, once it is gone. */
  readonly ending: Promise<[code: number, printed: string]>
}

/** Starts a client that does `action`, and reads its HELLO. */
async function startClient(t: Test, action: string): Promise<Client> {
  const pair = makeChannelPair(false)
  const child = support.nodeChildProcess.spawn(process.execPath, [program, action], {
    stdio: ['ignore', 'pipe', 'inherit', pair.client.fd],
  })
  pair.client.close()
  t.teardown(() => child.kill('SIGKILL'))
  const printed = child.stdout?.toArray() ?? Promise.resolve([])
  const ending = support.nodeEvents
    .once(child, 'close')
    .then(async ([code]): Promise<[number, string]> => [code, Buffer.concat(await printed).toString()])
  const peer = new support.RawPeer(t, pair.server)
  t.match(await peer.receiveMessages(1), [{ kind: support.HELLO, id: 0, code: 1, dataSize: 0 }])
  return { peer, ending }
}

/** A process with nothing to wait for ends between two turns of its loop, so several answers show that it waits. */
async function assertWaiting(t: Test, peer: support.RawPeer): Promise<void> {
  for (let id = 1; id <= 5; id++) {
    peer.send(support.message({ kind: support.TRANSACTION, id, code: 1 }))
    t.match(await peer.receiveMessages(1), [{ kind: support.FAILURE, id }])
  }
}

for (const action of ['idle', 'link']) {
  t.test(`an open channel lets the process end (${action})`, async (t) => {
    const { peer, ending } = await startClient(t, action)
    t.same(await ending, [0, ''], 'though this end is open')
    await peer.ended()
  })
}

t.test('a call without an answer keeps the process alive, until it comes', async (t) => {
  const { peer, ending } = await startClient(t, 'call')
  const [request] = await peer.receiveMessages(1)
  await assertWaiting(t, peer)
  peer.send(support.message({ kind: support.REPLY, id: request?.id ?? 0 }))
  t.same(await ending, [0, 'done'])
})

t.test('an object that the peer holds keeps the process alive, until it is given back', async (t) => {
  const { peer, ending } = await startClient(t, 'callback')
  t.match(await peer.receiveMessages(1), [{ objectCount: 1, flags: 1 }])
  await assertWaiting(t, peer)
  peer.send(support.message({ kind: support.RELEASE, object: 1, code: 1 }))
  t.same(await ending, [0, ''])
})

t.test('an object that the peer holds keeps the process alive, until the peer is gone', async (t) => {
  const { peer, ending } = await startClient(t, 'callback')
  await peer.receiveMessages(1)
  await assertWaiting(t, peer)
  peer.close()
  t.same(await ending, [0, ''])
})

t.test('bytes that the peer has not read keep the process alive, until it has', async (t) => {
  const { peer, ending } = await startClient(t, 'flood')
  const parts = await peer.receiveMessages(14)
  t.ok(parts.slice(1).every(({ kind }) => kind === support.CONTINUATION))
  t.equal(
    parts.reduce((total, { bodyBytesInPacket }) => total + bodyBytesInPacket, 0),
    parts[0]?.dataSize,
  )
  t.same(await ending, [0, ''])
})
