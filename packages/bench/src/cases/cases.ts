/** All benchmarks, in the order of the report. */
import type { Benchmark } from '../harness/benchmark.ts'
import type { Field } from '../harness/field.ts'
import { attach } from './attach.ts'
import { close } from './close.ts'
import { daemonStart } from './daemon-start.ts'
import { fanOut } from './fan-out.ts'
import { handOver } from './hand-over.ts'
import { idleConnections } from './idle-connections.ts'
import { manyConnections } from './many-connections.ts'
import { noticeLatency } from './notice-latency.ts'
import { processRead } from './process-read.ts'
import { read } from './read.ts'
import { setValuePipelined } from './set-value-pipelined.ts'
import { setValueRoundTrip } from './set-value-round-trip.ts'
import { sharedMemory } from './shared-memory.ts'
import { storeBytes, storeGet, storePut, storeSet } from './store.ts'
import { storeKeys, storeNotice, storeStart, storeUpload } from './store-more.ts'
import { writeCost } from './write-cost.ts'

const CASES = [
  read,
  setValueRoundTrip,
  setValuePipelined,
  manyConnections,
  attach,
  handOver,
  noticeLatency,
  fanOut,
  writeCost,
  processRead,
  sharedMemory,
  idleConnections,
  daemonStart,
  close,
  storeGet,
  storeBytes,
  storePut,
  storeSet,
  storeKeys,
  storeUpload,
  storeNotice,
  storeStart,
]

export function allBenchmarks(field: Field): Benchmark[] {
  return CASES.map((make) => make(field))
}
