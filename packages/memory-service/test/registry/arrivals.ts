/** The token buckets of those who connect, by a clock of the test's. */
import t from 'tap'
import { DAEMON_LIMITS } from '../../src/quota/limits.ts'
import { Arrivals } from '../../src/registry/arrivals.ts'

const OWN = 1000
const STRANGER = 1234

class Clock {
  ms = 0
  readonly now = () => this.ms
}

function admitted(arrivals: Arrivals, uid: number, attempts: number): number {
  return Array.from({ length: attempts }, () => arrivals.admits(uid)).filter(Boolean).length
}

t.test('a burst passes, and after it as many as come back in the time; never more than a burst', async (t) => {
  const clock = new Clock()
  const arrivals = new Arrivals({ ownUid: OWN, now: clock.now, burst: 100, perSecond: 50 })
  t.equal(admitted(arrivals, STRANGER, 1000), 100)
  clock.ms += 19
  t.equal(admitted(arrivals, STRANGER, 10), 0)
  clock.ms += 1
  t.equal(admitted(arrivals, STRANGER, 10), 1)
  clock.ms += 1000
  t.equal(admitted(arrivals, STRANGER, 1000), 50)
  clock.ms += 1_000_000
  t.equal(admitted(arrivals, STRANGER, 1000), 100)
})

t.test('a refused user is not asked about until the bucket has room for several, and loses none by that', async (t) => {
  const clock = new Clock()
  const arrivals = new Arrivals({ ownUid: OWN, now: clock.now, burst: 100, perSecond: 500 })
  t.equal(admitted(arrivals, STRANGER, 200), 100)
  let passed = 0
  for (const end = clock.ms + 10_000; clock.ms < end; ) {
    passed += admitted(arrivals, STRANGER, 20)
    const rest = arrivals.restMs(STRANGER)
    t.ok(rest > 0 && rest <= 20, 'for a moment only')
    clock.ms += rest
  }
  t.ok(passed >= 4990 && passed <= 5020, `${passed} in 10 seconds`)
  const few = new Arrivals({ ownUid: OWN, now: clock.now, burst: 1, perSecond: 1 })
  t.equal(admitted(few, STRANGER, 2), 1)
  t.equal(few.restMs(STRANGER), 1000, 'never longer than it takes to have all again')
})

t.test('one user is not another, and neither root nor the own user has a bucket', async (t) => {
  const arrivals = new Arrivals({ ownUid: OWN, now: () => 0, burst: 10, perSecond: 1 })
  t.equal(admitted(arrivals, STRANGER, 20), 10)
  t.equal(admitted(arrivals, STRANGER + 1, 20), 10)
  t.equal(admitted(arrivals, OWN, 1000), 1000)
  t.equal(admitted(arrivals, 0, 1000), 1000)
  t.equal(arrivals.users, 2)
})

t.test('the table has an end: full buckets are forgotten, and who finds no room shares one', async (t) => {
  const clock = new Clock()
  const arrivals = new Arrivals({ ownUid: OWN, now: clock.now, burst: 10, perSecond: 1, maxUsers: 3 })
  for (const uid of [1, 2, 3]) t.equal(admitted(arrivals, uid, 20), 10)
  t.equal(admitted(arrivals, 4, 8) + admitted(arrivals, 5, 8), 10, 'two who share')
  t.equal(arrivals.users, 3)
  clock.ms += 10_000
  t.equal(admitted(arrivals, 6, 20), 10)
  t.equal(arrivals.users, 1)
})

t.test('at least 1,024 at once and 500 a second of one user pass', async (t) => {
  t.ok(DAEMON_LIMITS.arrivals.limit >= 1024)
  t.ok(DAEMON_LIMITS.arrivalsPerSecond.limit >= 500)
})
