/** What a daemon has done and what it holds, as numbers with names. */
import { type Activity, counters, refusalCounts, type Shares } from '@memsvc/shared/internal'
import { expose, type Family, type Sample } from './exposition.ts'
import type { StoreStatus } from './published-store.ts'

/** What the daemon knows besides the library's counters. */
export interface MetricsSource {
  readonly version: string
  readonly isHost: boolean
  /** Of the process, in seconds since 1970. */
  readonly startedAt: number
  readonly values: readonly { readonly name: string; readonly value: number; readonly activity: Activity }[]
  readonly stores: readonly (StoreStatus & { readonly activity: Activity })[]
  /** By resource. */
  readonly used: Readonly<Record<string, number>>
  readonly limits: Readonly<Record<string, Shares>>
  readonly queuedBytes: number
  readonly descriptors: number
  readonly mappings: number
  readonly droppedLogLines: number
  readonly reloads: { readonly done: number; readonly failed: number }
  readonly takeovers: number
}

/** Told also while there were none, so that a rate has a beginning. */
const USUAL_REASONS = ['ERR_CONFLICT', 'ERR_LIMIT', 'ERR_OUT_OF_RANGE', 'ERR_SECURITY']

export function renderMetrics(source: MetricsSource): string {
  return expose([...done(source), ...held(source), ...stores(source), ...ofProcess(source)])
}

function done({ values, stores, reloads, takeovers, droppedLogLines }: MetricsSource): Family[] {
  const writes = [...values, ...stores].map(({ name, activity }) => labelled('service', name, activity.writes))
  return [
    counter('calls', 'Calls that came in: those that are answered, and oneway ones.', [
      labelled('kind', 'answered', counters.calls),
      labelled('kind', 'oneway', counters.onewayCalls),
    ]),
    counter('writes', 'Writes that were made; of a store each key counts.', writes),
    counter('refusals', 'Calls and peers that were refused, by the code of the error.', refusals()),
    counter('notices', 'Watchers told that something has changed.', one(counters.notices)),
    counter('violations', 'Peers that broke the protocol and were disconnected.', one(counters.violations)),
    counter('reloads', 'Readings of the configuration while the daemon ran.', [
      labelled('result', 'done', reloads.done),
      labelled('result', 'failed', reloads.failed),
    ]),
    counter('takeovers', 'How often this daemon took the registry over from one that had died.', one(takeovers)),
    counter('log_lines_dropped', 'Lines of the log that nobody took.', one(droppedLogLines)),
  ]
}

function held({ values, used, limits, queuedBytes }: MetricsSource): Family[] {
  return [
    gauge(
      'value',
      'The value now.',
      values.map(({ name, value }) => labelled('service', name, value)),
    ),
    gauge(
      'used',
      'What peers have, by resource.',
      Object.entries(used).map(([name, count]) => labelled('resource', name, count)),
    ),
    gauge(
      'limit',
      'What all peers together may have, by resource.',
      Object.entries(limits).map(([name, { total }]) => labelled('resource', name, total)),
    ),
    gauge('queue_bytes', 'Bytes that wait here for peers to read.', one(queuedBytes)),
  ]
}

function stores({ values, stores }: MetricsSource): Family[] {
  const each = (read: (store: StoreStatus) => number) =>
    stores.map((store) => labelled('store', store.name, read(store)))
  const changed = [...values, ...stores].map(({ name, activity }) =>
    labelled('service', name, activity.changedAt / 1000),
  )
  return [
    gauge('changed_timestamp_seconds', 'When a value, or something in a store, was changed last.', changed),
    gauge(
      'store_keys',
      'Keys that have a value.',
      each(({ keys }) => keys),
    ),
    gauge(
      'store_value_bytes',
      'Of the values alone.',
      each(({ valueBytes }) => valueBytes),
    ),
    gauge(
      'store_used_bytes',
      'Of the areas: with keys, places, and what is being replaced.',
      each(({ usedBytes }) => usedBytes),
    ),
    gauge(
      'store_allocated_bytes',
      'What the machine has given so far.',
      each(({ allocatedBytes }) => allocatedBytes),
    ),
    gauge(
      'store_capacity_bytes',
      'What each area may come to.',
      each(({ capacity }) => capacity),
    ),
    gauge(
      'store_areas',
      'Regions of the store.',
      each(({ areas }) => areas),
    ),
    gauge(
      'store_watchers',
      'Callbacks for changes of the store.',
      each(({ watchers }) => watchers),
    ),
  ]
}

function ofProcess({ version, isHost, startedAt, descriptors, mappings }: MetricsSource): Family[] {
  const { user, system } = process.cpuUsage()
  return [
    gauge('info', 'Always 1.', [{ labels: { version, node: process.versions.node }, value: 1 }]),
    gauge('registry_host', 'Whether this daemon hosts the registry.', one(isHost ? 1 : 0)),
    gauge('open_descriptors', 'Of the process.', one(descriptors)),
    gauge('region_mappings', 'Regions that are mapped in the process.', one(mappings)),
    gauge('start_time_seconds', 'When the process was started.', one(startedAt)),
    gauge('resident_memory_bytes', 'Of the process.', one(process.memoryUsage.rss())),
    counter('cpu_seconds', 'Of the process, user and system.', one((user + system) / 1e6)),
  ]
}

function refusals(): Sample[] {
  const counts = new Map<string, number>(USUAL_REASONS.map((reason) => [reason, 0]))
  for (const [reason, count] of refusalCounts()) counts.set(reason, count)
  return [...counts].map(([reason, count]) => labelled('reason', reason, count))
}

function counter(name: string, help: string, samples: readonly Sample[]): Family {
  return { name: `memsvc_${name}_total`, type: 'counter', help, samples }
}

function gauge(name: string, help: string, samples: readonly Sample[]): Family {
  return { name: `memsvc_${name}`, type: 'gauge', help, samples }
}

function labelled(label: string, text: string, value: number): Sample {
  return { labels: { [label]: text }, value }
}

function one(value: number): Sample[] {
  return [{ value }]
}
