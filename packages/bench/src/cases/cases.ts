/** All benchmarks, in the order of the report. */
import type { Benchmark } from '../benchmark.ts'
import type { Field } from '../field.ts'
import { attach } from './attach.ts'
import { handOver } from './hand-over.ts'
import { manyConnections } from './many-connections.ts'
import { read } from './read.ts'
import { setValuePipelined } from './set-value-pipelined.ts'
import { setValueRoundTrip } from './set-value-round-trip.ts'

export function allBenchmarks(field: Field): Benchmark[] {
  return [read, setValueRoundTrip, setValuePipelined, manyConnections, attach, handOver].map((make) => make(field))
}
