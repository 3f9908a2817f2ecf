import t from 'tap'
import { TARGETS, type Target } from '../src/targets.ts'
import { judge } from '../src/verdicts.ts'
import { result } from '../test-support/index.ts'

const own = { contender: 'memsvc', figure: 'p50' }
const limit = { contender: 'C', figure: 'p50' }

function target(changes: Partial<Target>): Target {
  const base = { id: 'T0', claim: 'a claim', benchmark: 'set', group: 'two cores', of: own, bound: { atMost: 1.6 } }
  return { ...base, ...changes }
}

t.test('a target is judged by the median of the per-round ratios', (t) => {
  const [verdict] = judge([target({ to: limit })], [result])
  t.same(verdict?.measured, { median: 1.5, min: 1.4, max: 1.6 })
  t.equal(verdict?.isMet, true)
  t.equal(verdict?.unit, null)
  t.ok(Math.abs((verdict?.margin ?? 0) - 0.0625) < 1e-9)
  t.end()
})

t.test('exactly the bound is met, beyond it is not', (t) => {
  const bounds = [
    [{ atMost: 1.5 }, true],
    [{ atMost: 1.4 }, false],
    [{ atLeast: 1.5 }, true],
    [{ atLeast: 1.6 }, false],
  ] as const
  for (const [bound, isMet] of bounds) t.equal(judge([target({ to: limit, bound })], [result])[0]?.isMet, isMet)
  t.end()
})

t.test('a figure without another stands for itself, and a bound of nothing has no margin', (t) => {
  const [verdict] = judge([target({ of: { contender: 'memsvc', figure: 'left' }, bound: { atMost: 0 } })], [result])
  t.equal(verdict?.unit, 'count')
  t.equal(verdict?.isMet, true)
  t.ok(Number.isNaN(verdict?.margin))
  t.end()
})

t.test('a target that was not measured is not met', (t) => {
  const missing = [
    { to: { contender: 'Redis', figure: 'p50' } },
    { to: { contender: 'C', figure: 'p99' } },
    { group: 'one core' },
  ]
  for (const changes of missing) {
    const [verdict] = judge([target(changes)], [result])
    t.equal(verdict?.measured, null)
    t.equal(verdict?.isMet, false)
  }
  t.end()
})

t.test('a target of a benchmark that did not run is left out', (t) => {
  t.same(judge([target({ benchmark: 'read' })], [result]), [])
  t.end()
})

t.test('all targets that the bench measures are there', (t) => {
  const ids = new Set(TARGETS.map(({ id }) => id))
  const ofValues = Array.from({ length: 13 }, (_, i) => `T${i + 1}`)
  const ofStores = ['S1', 'S2', 'S4', 'S5', 'S6', 'S10', 'S11', 'S12']
  t.same(ids, new Set([...ofValues, ...ofStores]))
  t.end()
})
