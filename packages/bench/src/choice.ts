/** Which benchmarks are meant. */
import type { Benchmark } from './harness/benchmark.ts'

/** No names mean all. @throws RangeError a name that none has */
export function choose(benchmarks: readonly Benchmark[], names: readonly string[]): readonly Benchmark[] {
  const known = benchmarks.map(({ name }) => name)
  const unknown = names.filter((name) => !known.includes(name))
  if (unknown.length > 0) throw new RangeError(`no benchmark ${unknown.join(', ')}; there are ${known.join(', ')}`)
  return names.length === 0 ? benchmarks : benchmarks.filter(({ name }) => names.includes(name))
}
