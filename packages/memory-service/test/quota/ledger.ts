import { leakChecked } from '@memsvc/shared/test-support'
import t from 'tap'
import type { Account, Ledger } from '../../src/quota/ledger.ts'
import { RESOURCE_NAMES, type Resource } from '../../src/quota/limits.ts'
import { DEFAULTS, makeLedger } from '../../test-support/index.ts'

const OWN = 1000
const ROOT = 0
const STRANGER = 2000

leakChecked(t)

/** Charges until the limit says no; one account per peer, as many as it takes. */
function chargeAll(ledger: Ledger, resource: Resource, uid: number): { accounts: Account[]; error: unknown } {
  const accounts: Account[] = []
  for (;;) {
    const account = ledger.open(uid)
    try {
      account.charge(resource, ledger.limits[resource].perPeer)
      accounts.push(account)
    } catch (error) {
      return { accounts: [...accounts, account], error }
    }
  }
}

function refundAll(accounts: readonly Account[], resource: Resource): void {
  for (const account of accounts) while (account.rest.includes(resource)) account.refund(resource)
}

for (const resource of RESOURCE_NAMES) {
  const { total, perUser, perPeer } = DEFAULTS[resource]
  if (perPeer !== undefined) {
    t.test(`${resource}: a peer gets ${perPeer}, and not one more`, async (t) => {
      const ledger = makeLedger(OWN)
      const account = ledger.open(OWN)
      for (let i = 0; i < perPeer; i++) account.charge(resource)
      t.throws(() => account.charge(resource), {
        code: 'ERR_LIMIT',
        resource: `${resource} of one peer`,
        limit: perPeer,
        used: perPeer,
      })
      t.equal(ledger.used(resource), perPeer, 'nothing has happened')
      account.refund(resource)
      t.doesNotThrow(() => account.charge(resource), 'what was given back is to be had again')
    })
  }

  t.test(`${resource}: another user gets ${perUser}, however many peers it has`, async (t) => {
    const ledger = makeLedger(OWN)
    const { accounts, error } = chargeAll(ledger, resource, STRANGER)
    t.match(error, { code: 'ERR_LIMIT', resource: `${resource} of one user`, limit: perUser, used: perUser })
    t.equal(ledger.usedBy(resource, STRANGER), perUser)
    t.doesNotThrow(() => ledger.open(STRANGER + 1).charge(resource), 'the next stranger is not touched by that')
    t.doesNotThrow(() => ledger.open(OWN).charge(resource))
    refundAll(accounts, resource)
    t.equal(ledger.usedBy(resource, STRANGER), 0)
  })

  for (const uid of [OWN, ROOT]) {
    t.test(`${resource}: uid ${uid} has no share, and gets all ${total}`, async (t) => {
      const ledger = makeLedger(OWN)
      const { accounts, error } = chargeAll(ledger, resource, uid)
      t.match(error, { code: 'ERR_LIMIT', resource, limit: total, used: total })
      t.throws(() => ledger.open(STRANGER).charge(resource), { code: 'ERR_LIMIT', resource })
      refundAll(accounts, resource)
      t.equal(ledger.used(resource), 0, 'all counters return to 0')
    })
  }
}

t.test('an account says what it was charged and has not given back', async (t) => {
  const account = makeLedger(OWN).open(STRANGER)
  t.strictSame(account.rest, [])
  account.charge('watchers')
  account.charge('watchers')
  account.charge('names')
  account.refund('watchers')
  t.strictSame(account.rest, ['watchers', 'names'])
  account.refund('watchers')
  account.refund('names')
  t.strictSame(account.rest, [])
})

t.test('more cannot be given back than was charged', async (t) => {
  const ledger = makeLedger(OWN)
  const account = ledger.open(OWN)
  ledger.open(OWN).charge('names')
  t.throws(() => account.refund('names'), /refunded more than was charged/)
  t.equal(ledger.used('names'), 1)
})

t.test('every charge and every refund is told, a refusal is not', async (t) => {
  let changes = 0
  const account = makeLedger(OWN, () => {
    changes += 1
  }).open(OWN)
  account.charge('channels')
  t.throws(() => account.charge('names', DEFAULTS.names.total + 1))
  account.refund('channels')
  t.equal(changes, 2)
})

const { perPeer: DESCRIPTORS = 0 } = DEFAULTS.heldDescriptors

for (const count of [DESCRIPTORS + 1, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
  t.test(`${count} at once are charged wholly or not at all`, async (t) => {
    const ledger = makeLedger(OWN)
    const account = ledger.open(STRANGER)
    t.throws(() => account.charge('heldDescriptors', count), { code: 'ERR_LIMIT', used: 0 })
    t.equal(ledger.used('heldDescriptors'), 0)
    account.charge('heldDescriptors', DESCRIPTORS)
    t.equal(ledger.used('heldDescriptors'), DESCRIPTORS)
    account.refund('heldDescriptors', DESCRIPTORS)
    t.equal(ledger.used('heldDescriptors'), 0)
  })
}

t.test('an account that is closed owes nothing, and says what it owed', async (t) => {
  const ledger = makeLedger(OWN)
  const account = ledger.open(STRANGER)
  account.charge('watchers', 3)
  account.charge('names')
  t.strictSame(account.close(), ['watchers', 'names'])
  t.strictSame([ledger.used('watchers'), ledger.usedBy('names', STRANGER)], [0, 0])
  t.strictSame(account.close(), [])
})

t.test('other limits hold from the next charge on; what was charged stays', async (t) => {
  const ledger = makeLedger(OWN)
  const account = ledger.open(STRANGER)
  account.charge('names', 5)
  ledger.limits = { ...DEFAULTS, names: { total: 4, perUser: 4, perPeer: 4 } }
  t.throws(() => account.charge('names'), { code: 'ERR_LIMIT', limit: 4, used: 5 })
  account.refund('names', 2)
  account.charge('names')
  t.equal(ledger.used('names'), 4)
  account.close()
})

t.test('a peer that is gone is charged nothing any more', async (t) => {
  const ledger = makeLedger(OWN)
  const account = ledger.open(STRANGER)
  account.charge('names')
  t.strictSame(account.close(), ['names'])
  t.throws(() => account.charge('names'), { code: 'ERR_ILLEGAL_STATE' })
  t.equal(ledger.used('names'), 0)
})

t.test('a user is forgotten with its last account, but not before it owes nothing', async (t) => {
  const ledger = makeLedger(OWN)
  const [one, other] = [ledger.open(STRANGER), ledger.open(STRANGER)]
  one.charge('unreadDescriptors', 2)
  const refund = one.carryOver('unreadDescriptors', 2)
  one.close()
  one.close()
  t.equal(ledger.users, 1)
  other.close()
  t.equal(ledger.users, 1)
  t.equal(ledger.usedBy('unreadDescriptors', STRANGER), 2)
  refund()
  t.equal(ledger.users, 0)
  t.equal(ledger.used('unreadDescriptors'), 0)
})

t.test('a thousand users who come and go leave nothing', async (t) => {
  const ledger = makeLedger(OWN)
  for (let uid = 1; uid <= 1000; uid++) {
    const account = ledger.open(uid)
    account.charge('objects', 3)
    account.refund('objects', 3)
    account.charge('names')
    account.close()
  }
  t.equal(ledger.users, 0)
})
