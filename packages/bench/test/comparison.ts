import t from 'tap'
import { comparisonTable, findChanges } from '../src/comparison.ts'
import type { Unit } from '../src/harness/benchmark.ts'

function outcomeOf(unit: Unit, before: number[], after: number[]): string | undefined {
  const rounds = (numbers: number[]) => numbers.map((p50) => ({ p50 }))
  const group = {
    name: 'two cores',
    pinning: 'split' as const,
    base: 'C',
    figures: [{ key: 'p50', unit }],
    samples: { old: rounds(before), new: rounds(after) },
    absent: {},
  }
  const [change] = findChanges([{ name: 'set', title: '', about: '', groups: [group] }], 'old', 'new')
  return change?.outcome
}

t.test('a change is one that every round shows, and of more than 5 %', (t) => {
  t.equal(outcomeOf('us', [10, 10, 10], [12, 12, 12]), 'slower')
  t.equal(outcomeOf('us', [10, 10, 10], [8, 8, 8]), 'faster')
  t.equal(outcomeOf('us', [10, 10, 10], [12, 12, 9]), 'same', 'one round does not show it')
  t.equal(outcomeOf('us', [100, 100, 100], [104, 104, 104]), 'same', 'too little')
  t.end()
})

t.test('if a rate is compared, more is faster', (t) => {
  t.equal(outcomeOf('per second', [10, 10], [12, 12]), 'faster')
  t.equal(outcomeOf('per second', [10, 10], [8, 8]), 'slower')
  t.end()
})

t.test('a group that only one took part in is left out', (t) => {
  t.equal(outcomeOf('us', [10], []), undefined)
  t.end()
})

t.test('the table has both figures and the ratio', (t) => {
  const ratio = { median: 1.2, min: 1.1, max: 1.3 }
  const change = {
    work: 'set: two cores',
    unit: 'us' as const,
    before: 10,
    after: 12,
    ratio,
    outcome: 'slower' as const,
  }
  t.match(comparisonTable([change], 'v1', 'v2'), '| set: two cores | 10 µs | 12 µs | 1.2x (1.1x–1.3x) | **slower** |')
  t.end()
})
