import t from 'tap'
import type { Contender, Group } from '../src/harness/benchmark.ts'
import { runBenchmark } from '../src/runner.ts'

function noting(journal: string[], name: string, fails: (sample: number) => boolean = () => false): Contender {
  let samples = 0
  return {
    name,
    open: async () => ({
      sample: async () => {
        journal.push(name)
        if (fails(samples)) throw new Error(`${name} is gone`)
        return { count: samples++ }
      },
      close: async () => void journal.push(`${name} closed`),
    }),
  }
}

function run(contenders: readonly Contender[], changes: Partial<Group> = {}, cpus: readonly number[] = [0, 1]) {
  const group: Group = { name: 'group', pinning: 'free', base: 'A', figures: [], contenders, ...changes }
  const options = { rounds: 2, milliseconds: 0, cpus, log: () => undefined }
  return runBenchmark({ name: 'test', title: '', about: '', groups: [group] }, options)
}

t.test('contenders take turns, and the round before the first does not count', async (t) => {
  const journal: string[] = []
  const { groups } = await run([noting(journal, 'A'), noting(journal, 'B')])
  t.same(journal, ['A', 'B', 'A', 'B', 'A', 'B', 'A closed', 'B closed'])
  t.same(groups[0]?.samples, { A: [{ count: 1 }, { count: 2 }], B: [{ count: 1 }, { count: 2 }] })
})

t.test('a group of one round has no round before it', async (t) => {
  const journal: string[] = []
  await run([noting(journal, 'A')], { rounds: 1 })
  t.same(journal, ['A', 'A closed'])
})

t.test('a contender that fails on the way is closed and absent, and the others go on', async (t) => {
  const journal: string[] = []
  const { groups } = await run([noting(journal, 'A'), noting(journal, 'B', (sample) => sample === 1)])
  t.same(groups[0]?.absent, { B: 'it failed: B is gone' })
  t.same(Object.keys(groups[0]?.samples ?? {}), ['A'])
  t.equal(journal.filter((entry) => entry === 'B closed').length, 1)
})

t.test('a program that does not start, or cannot be installed, is absent with the reason', async (t) => {
  const journal: string[] = []
  const broken = { name: 'B', open: () => Promise.reject(new Error('no server')) }
  const { groups } = await run([noting(journal, 'A'), broken, { name: 'C', absent: 'not for this machine' }])
  t.same(groups[0]?.absent, { B: 'it did not start: no server', C: 'not for this machine' })
})

t.test('two cores cannot be had of one', async (t) => {
  const { groups } = await run([noting([], 'A')], { pinning: 'split' }, [0])
  t.same(groups[0]?.absent, { A: 'this machine has one core only' })
})
