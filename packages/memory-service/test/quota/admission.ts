import { Admission, type AdmittedPeer as AdmittedPeerOf, Violation } from '@memsvc/shared/internal'
import { leakChecked } from '@memsvc/shared/test-support'
import { pino } from 'pino'
import t from 'tap'
import { DEFAULTS, makeLedger, PeerLog, type Resource } from '../../test-support/index.ts'

const OWN = 1000
const STRANGER = 2000
const SHARE = DEFAULTS.channels.perUser
const REFUSED_SHARE = DEFAULTS.turnedAway.perUser
const END = new Error('end')

leakChecked(t)

function makeAdmission() {
  const lines: Record<string, unknown>[] = []
  const logger = pino(
    { level: 'debug', base: null, timestamp: false },
    { write: (line) => lines.push(JSON.parse(line)) },
  )
  const ledger = makeLedger(OWN)
  return {
    admission: new Admission({ ledger, resource: 'channels', turnedAway: 'turnedAway', log: new PeerLog(logger) }),
    ledger,
    lines,
  }
}

type AdmittedPeer = AdmittedPeerOf<Resource>

function enterMany(admission: Admission<Resource>, count: number): (AdmittedPeer | null)[] {
  return Array.from({ length: count }, () => admission.enter(STRANGER))
}

t.test('a peer that is let in is charged one, which is refunded when it leaves', async (t) => {
  const { admission, ledger, lines } = makeAdmission()
  const peer = admission.enter(STRANGER)
  if (peer === null) return t.fail('must be let in')
  t.equal(peer.refusal, null)
  t.equal(ledger.usedBy('channels', STRANGER), 1)
  admission.leave(peer, 42, END)
  t.equal(ledger.usedBy('channels', STRANGER), 0)
  t.strictSame(lines, [{ level: 20, of: 'channels', peerPid: 42, uid: STRANGER, msg: 'ended' }])
})

t.test('a peer too many hears why, and costs nothing', async (t) => {
  const { admission, ledger } = makeAdmission()
  enterMany(admission, SHARE)
  const peer = admission.enter(STRANGER)
  t.match(peer?.refusal, { code: 'ERR_LIMIT', resource: 'channels of one user', limit: SHARE, used: SHARE })
  t.equal(ledger.usedBy('channels', STRANGER), SHARE)
  if (peer) admission.leave(peer, 42, END)
  t.equal(ledger.usedBy('channels', STRANGER), SHARE, 'and gives nothing back')
})

t.test(`${REFUSED_SHARE} may wait to hear it, the next one hears nothing until one of them is gone`, async (t) => {
  const { admission } = makeAdmission()
  enterMany(admission, SHARE)
  const refused = enterMany(admission, REFUSED_SHARE)
  t.ok(refused.every((peer) => peer?.refusal?.code === 'ERR_LIMIT'))
  t.equal(admission.enter(STRANGER), null)
  const [first] = refused
  if (first) admission.leave(first, 42, END)
  t.match(admission.enter(STRANGER), { refusal: { code: 'ERR_LIMIT' } })
  t.equal(admission.enter(STRANGER), null)
})

t.test('a violation is one warning', async (t) => {
  const { admission, lines } = makeAdmission()
  const peer = admission.enter(STRANGER)
  if (peer) admission.leave(peer, 42, new Violation('an empty packet'))
  t.strictSame(lines, [
    {
      level: 40,
      of: 'channels',
      peerPid: 42,
      uid: STRANGER,
      reason: 'an empty packet',
      msg: 'a peer was disconnected: it broke the protocol',
    },
  ])
})

t.test('a charge that was not refunded when the peer left is an error', async (t) => {
  const { admission, ledger, lines } = makeAdmission()
  const peer = admission.enter(STRANGER)
  peer?.account.charge('watchers')
  if (peer) admission.leave(peer, 42, END)
  t.match(lines.at(-1), {
    level: 50,
    rest: ['watchers'],
    msg: 'some charges were not refunded: this is a bug in memsvc',
  })
  t.equal(ledger.usedBy('watchers', STRANGER), 0, 'and it does not stay charged for ever')
})

t.test('nothing is kept of a peer that is refused without an answer', async (t) => {
  const { admission, ledger } = makeAdmission()
  const all = enterMany(admission, SHARE + REFUSED_SHARE + 100)
  t.equal(all.filter((peer) => peer === null).length, 100)
  for (const peer of all) if (peer !== null) admission.leave(peer, 1, END)
  t.equal(ledger.users, 0)
})
