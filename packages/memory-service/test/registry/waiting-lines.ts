/** Who waits for a channel to a service: users take turns, everybody gets in, and nothing is left of a line. */
import { Binder } from '@memsvc/shared'
import { makeChannelPair, Session } from '@memsvc/shared/internal'
import { Hub } from 'memfd-native'
import t, { type Test } from 'tap'
import * as support from '../../test-support/index.ts'

const { DAEMON_LIMITS, leakChecked, WaitingLines, watchdog } = support
const AT_ONCE = DAEMON_LIMITS.channelsPerTurn.limit

Hub.current()
leakChecked(t)
watchdog(t)

/** A service at the other end of a channel, and the line for it. */
function line(t: Test) {
  const pair = makeChannelPair(false)
  const caller = { pid: 1, uid: 0 }
  const server = new Session(pair.server, {
    role: 'server',
    root: new Binder(),
    peerAcceptsFileDescriptors: true,
    caller,
  })
  const client = new Session(pair.client, { role: 'client', root: null, peerAcceptsFileDescriptors: false })
  t.teardown(() => {
    client.close()
    server.close()
  })
  const proxy = client.root
  const lines = new WaitingLines()
  const charges = new Map<number, number>()
  const count = (uid: number, change: number) => charges.set(uid, (charges.get(uid) ?? 0) + change)
  const peer = (uid: number) =>
    ({
      caller: { pid: 1, uid },
      groups: [],
      account: { charge: () => count(uid, 1), refund: () => count(uid, -1) },
    }) as unknown as support.Peer
  return { lines, proxy, charges, peer }
}

t.test('the first are let in at once, the others in the turns after; the users in turn', async (t) => {
  const { lines, proxy, charges, peer } = line(t)
  const entered: number[] = []
  const [one, other] = [peer(1), peer(2)]
  const ask = (who: support.Peer) => lines.turn(proxy, who)?.then(() => entered.push(who.caller.uid))
  for (let i = 0; i < AT_ONCE; i++) t.equal(ask(one), undefined)
  const waits = [...Array(3).fill(one), ...Array(3).fill(other)].map(ask)
  t.strictSame(
    [...charges],
    [
      [1, 3],
      [2, 3],
    ],
  )
  await Promise.all(waits)
  t.strictSame(entered, [1, 2, 1, 2, 1, 2])
  t.ok([...charges.values()].every((each) => each === 0))
})

t.test('a client that comes when nobody waits is let in at once, whoever it is', async (t) => {
  const { lines, proxy, peer } = line(t)
  for (const uid of [1, 2, 3]) {
    for (let i = 0; i < AT_ONCE; i++) t.equal(lines.turn(proxy, peer(uid)), undefined)
    await Promise.all([1, 2, 3].map((other) => lines.turn(proxy, peer(other))))
    await new Promise(setImmediate)
    await new Promise(setImmediate)
  }
})

t.test('a client that leaves does not wait any more, and the others of its user do', async (t) => {
  const { lines, proxy, charges, peer } = line(t)
  const [first, second] = [peer(1), peer(1)]
  for (let i = 0; i < AT_ONCE; i++) lines.turn(proxy, peer(3))
  const leaving = lines.turn(proxy, first)?.catch((error: { code: string }) => error.code)
  const alone = lines.turn(proxy, peer(2))
  const staying = lines.turn(proxy, second)
  lines.leave(first)
  t.equal(await leaving, 'ERR_ILLEGAL_STATE')
  await Promise.all([alone, staying])
  t.ok([...charges.values()].every((each) => each === 0))
})
