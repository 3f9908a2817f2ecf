/** Where the versions of stores begin: none is given twice. */
import t from 'tap'
import { firstVersion, givenUpTo } from '../../src/store/versions.ts'

t.test('stores made in one moment begin apart, and after what was given before', async (t) => {
  const begins = Array.from({ length: 1000 }, () => firstVersion(0))
  t.ok(begins.every((begin, i) => i === 0 || begin > (begins[i - 1] as bigint)))
  const last = (begins.at(-1) as bigint) + 1_000_000n
  givenUpTo(last)
  t.ok(firstVersion(0) > last)
})

t.test('each area of a store has a range of its own', async (t) => {
  t.equal(firstVersion(3) >> 53n, 3n)
  t.equal(firstVersion(0) >> 53n, 0n)
})
