/** Who has no room even among those who are to be told is turned away at once, and nothing stays charged. */
import t from 'tap'
import { Binder } from '../../src/index.ts'
import { ServiceChannels } from '../../src/service-manager/service-channels.ts'
import { Admission, Ledger, leakChecked, makeChannelPair, Session } from '../../test-support/index.ts'

leakChecked(t)

const STRANGER = 4242
const ONE = { total: 1, perUser: 1, perPeer: 1 }

t.test('one is served, one is told that there are too many, one is turned away', async (t) => {
  const ledger = new Ledger<'channels' | 'turnedAway'>({ limits: { channels: ONE, turnedAway: ONE }, ownUid: 1 })
  const channels = new ServiceChannels(new Admission({ ledger, resource: 'channels', turnedAway: 'turnedAway' }))
  const { client: mine, server: end } = makeChannelPair(false)
  const enter = () => channels.policy.enter?.({ client: { pid: 7, uid: STRANGER }, end, service: new Binder() })
  const [first, second, third] = [enter(), enter(), enter()]
  t.equal(first?.refusal, null)
  t.match(second?.refusal, { code: 'ERR_LIMIT' })
  t.equal(third, null)
  t.same([ledger.used('channels'), ledger.used('turnedAway')], [1, 1])
  for (const visit of [first, second]) visit?.onEnd(0, new Error('gone'))
  t.same([ledger.used('channels'), ledger.used('turnedAway')], [0, 0])
  mine.close()
  end.close()
})

t.test('a channel is charged to its user from the beginning, and ended with the others of its service', async (t) => {
  const ledger = new Ledger<'channels' | 'turnedAway'>({ limits: { channels: ONE, turnedAway: ONE }, ownUid: 1 })
  const channels = new ServiceChannels(new Admission({ ledger, resource: 'channels', turnedAway: 'turnedAway' }))
  const { client: mine, server: end } = makeChannelPair(false)
  const service = new Binder()
  const session = new Session(end, { role: 'server', root: service, peerAcceptsFileDescriptors: true })
  const payers: unknown[] = []
  const chargeTo = session.chargeTo.bind(session)
  session.chargeTo = (budget) => {
    payers.push(budget)
    chargeTo(budget)
  }
  const visit = channels.policy.enter?.({ client: { pid: 7, uid: STRANGER }, end, service })
  visit?.onOpen(session)
  t.match(payers, [{ uid: STRANGER }])
  t.equal(channels.size, 1)
  channels.closeOf(new Binder())
  t.equal(session.isEnded, false)
  channels.closeOf(service)
  t.equal(session.isEnded, true)
  visit?.onEnd(7, new Error('gone'))
  t.same([channels.size, ledger.used('channels')], [0, 0])
  mine.close()
})
