import t from 'tap'
import { allBenchmarks } from '../src/cases/cases.ts'
import type { Group } from '../src/harness/benchmark.ts'
import { Peers } from '../src/harness/installed-peers.ts'
import { TARGETS, type Target } from '../src/targets.ts'

const checkouts = [{ label: 'memsvc', root: '/nowhere' }]
const benchmarks = allBenchmarks({ checkouts, peers: Peers.none('not here'), isQuick: true })

function groupOf({ benchmark, group }: Target): Group | undefined {
  return benchmarks.find(({ name }) => name === benchmark)?.groups.find(({ name }) => name === group)
}

t.test('each target names a group, contenders and figures that exist', (t) => {
  for (const target of TARGETS) {
    const group = groupOf(target)
    for (const { contender, figure } of target.to === undefined ? [target.of] : [target.of, target.to]) {
      const title = `${target.benchmark}: ${target.group}: ${contender}, ${figure}`
      t.ok(
        group?.contenders.some(({ name }) => name === contender) && group.figures.some(({ key }) => key === figure),
        title,
      )
    }
  }
  t.end()
})

t.test('the base of each group takes part in it', (t) => {
  for (const { name, groups } of benchmarks) {
    for (const { name: group, base, contenders } of groups) {
      t.ok(
        contenders.some((contender) => contender.name === base),
        `${name}: ${group}`,
      )
    }
  }
  t.end()
})

t.test('names are unique, of benchmarks, of their groups and of the contenders', (t) => {
  const isUnique = (names: string[]) => new Set(names).size === names.length
  t.ok(isUnique(benchmarks.map(({ name }) => name)))
  for (const { name, groups } of benchmarks) {
    t.ok(isUnique(groups.map(({ name }) => name)), name)
    for (const group of groups) t.ok(isUnique(group.contenders.map(({ name }) => name)), `${name}: ${group.name}`)
  }
  t.end()
})

t.test('if only checkouts are compared, no other program but C takes part', (t) => {
  const compared = allBenchmarks({ checkouts, peers: null, isQuick: true })
  const absent = compared
    .flatMap(({ groups }) => groups.flatMap(({ contenders }) => contenders))
    .filter((one) => 'absent' in one)
  t.same(
    absent.filter(({ name }) => name !== 'a copy each'),
    [],
  )
  t.end()
})
