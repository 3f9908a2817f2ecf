import t from 'tap'
import { median, quantile, ratios, spread } from '../src/harness/statistics.ts'

t.test('the median of an odd count is the middle one, of an even count the mean of the middle two', (t) => {
  t.equal(median([9, 1, 5]), 5)
  t.equal(median([4, 1, 3, 2]), 2.5)
  t.equal(median([7]), 7)
  t.end()
})

t.test('numbers are ordered as numbers, not as text', (t) => {
  t.equal(median([10, 9, 100]), 10)
  t.end()
})

t.test('a quantile lies between its neighbours', (t) => {
  const hundred = Array.from({ length: 101 }, (_, i) => i)
  t.equal(quantile(hundred, 0.99), 99)
  t.equal(quantile([0, 10], 0.25), 2.5)
  t.equal(quantile([3, 1, 2], 0), 1)
  t.equal(quantile([3, 1, 2], 1), 3)
  t.end()
})

t.test('there is no quantile of nothing', (t) => {
  t.throws(() => quantile([], 0.5), RangeError)
  t.end()
})

t.test('ratios are taken round by round, so that a disturbed round does not disturb the median', (t) => {
  const own = [20, 22, 400]
  const base = [10, 11, 200]
  t.same(ratios(own, base), [2, 2, 2])
  t.same(spread(ratios([10, 30, 20], [10, 10, 10])), { median: 2, min: 1, max: 3 })
  t.end()
})

t.test('ratios of different numbers of rounds are refused', (t) => {
  t.throws(() => ratios([1, 2], [1]), RangeError)
  t.end()
})
