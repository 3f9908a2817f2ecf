import t from 'tap'
import { type Expiring, expireInTime, expireNoMore, NOWHERE } from '../../src/util/common-timer.ts'
import { now } from '../../src/util/timers.ts'
import { awake } from '../../test-support/index.ts'

/** One that waits for so many milliseconds, and what it does then. */
function waiting(milliseconds: number, expire: () => void): Expiring {
  const one = { at: now() + milliseconds, place: NOWHERE, expire }
  expireInTime(one)
  return one
}

t.test('each is told once, and not before its moment', async (t) => {
  const told: number[] = []
  const all = [40, 1, 20, 1, 60].map(
    (milliseconds) =>
      new Promise<void>((resolve) => {
        const one = waiting(milliseconds, () => {
          t.ok(now() >= one.at)
          told.push(milliseconds)
          resolve()
        })
      }),
  )
  await awake(Promise.all(all))
  t.same(
    told.sort((a, b) => a - b),
    [1, 1, 20, 40, 60],
  )
})

t.test('an entry that is removed earlier is not called, and all others are', async (t) => {
  const told = new Set<number>()
  const gone = new Set<number>()
  const all: Expiring[] = []
  const goes = (i: number) => {
    if (!told.has(i)) gone.add(i)
    expireNoMore(all[i] as Expiring)
    expireNoMore(all[i] as Expiring) // again is harmless
  }
  const last = new Promise<void>((resolve) => {
    const expire = (i: number) => {
      t.notOk(told.has(i) || gone.has(i))
      told.add(i)
      if (i % 4 === 0) goes((i + 6) % 100) // in the middle of it
      if (told.size + gone.size === 100) resolve()
    }
    for (let i = 0; i < 100; i++) all.push(waiting(10, () => expire(i)))
  })
  for (let i = 1; i < 100; i += 2) goes(i)
  await awake(last)
  t.equal(told.size + gone.size, 100)
  t.ok(all.every(({ place }) => place === NOWHERE))
})
