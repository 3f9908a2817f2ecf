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
    counter('calls', 'Calls received, by kind.', [
      labelled('kind', 'answered', counters.calls),
      labelled('kind', 'oneway', counters.onewayCalls),
    ]),
    counter('writes', 'Writes to a value or a store. In a store each key counts.', writes),
    counter('refusals', 'Calls and peers refused, by error code.', refusals()),
    counter('notices', 'Notices of changes sent to watchers.', one(counters.notices)),
    counter('violations', 'Peers disconnected because they broke the protocol.', one(counters.violations)),
    counter('reloads', 'Reloads of the configuration, by result.', [
      labelled('result', 'done', reloads.done),
      labelled('result', 'failed', reloads.failed),
    ]),
    counter('takeovers', 'How often this daemon took over the registry from a daemon that died.', one(takeovers)),
    counter('log_lines_dropped', 'Log lines dropped because nobody read them.', one(droppedLogLines)),
  ]
}

function held({ values, used, limits, queuedBytes }: MetricsSource): Family[] {
  return [
    gauge(
      'value',
      'The current value.',
      values.map(({ name, value }) => labelled('service', name, value)),
    ),
    gauge(
      'used',
      'What all peers together use, by resource.',
      Object.entries(used).map(([name, count]) => labelled('resource', name, count)),
    ),
    gauge(
      'limit',
      'What all peers together may use, by resource.',
      Object.entries(limits).map(([name, { total }]) => labelled('resource', name, total)),
    ),
    gauge('queue_bytes', 'Bytes sent to peers that they have not read yet.', one(queuedBytes)),
  ]
}

function stores({ values, stores }: MetricsSource): Family[] {
  const each = (read: (store: StoreStatus) => number) =>
    stores.map((store) => labelled('store', store.name, read(store)))
  const changed = [...values, ...stores].map(({ name, activity }) =>
    labelled('service', name, activity.changedAt / 1000),
  )
  return [
    gauge('changed_timestamp_seconds', 'Time of the last change of a value or a store.', changed),
    gauge(
      'store_keys',
      'Keys in the store.',
      each(({ keys }) => keys),
    ),
    gauge(
      'store_value_bytes',
      'Bytes of the values, without keys.',
      each(({ valueBytes }) => valueBytes),
    ),
    gauge(
      'store_used_bytes',
      'Bytes used in the areas, with keys and values that are being replaced.',
      each(({ usedBytes }) => usedBytes),
    ),
    gauge(
      'store_allocated_bytes',
      'Bytes of memory allocated for the areas.',
      each(({ allocatedBytes }) => allocatedBytes),
    ),
    gauge(
      'store_capacity_bytes',
      'Most bytes that one area may have.',
      each(({ capacity }) => capacity),
    ),
    gauge(
      'store_areas',
      'Areas of the store.',
      each(({ areas }) => areas),
    ),
    gauge(
      'store_watchers',
      'Watchers of the store.',
      each(({ watchers }) => watchers),
    ),
  ]
}

function ofProcess({ version, isHost, startedAt, descriptors, mappings }: MetricsSource): Family[] {
  const { user, system } = process.cpuUsage()
  return [
    gauge('info', 'Versions of memsvc and Node.js; the value is always 1.', [
      { labels: { version, node: process.versions.node }, value: 1 },
    ]),
    gauge('registry_host', '1 if this daemon hosts the registry, else 0.', one(isHost ? 1 : 0)),
    gauge('open_descriptors', 'Open descriptors of the process.', one(descriptors)),
    gauge('region_mappings', 'Regions mapped in the process.', one(mappings)),
    gauge('start_time_seconds', 'Start time of the process.', one(startedAt)),
    gauge('resident_memory_bytes', 'Resident memory of the process.', one(process.memoryUsage.rss())),
    counter('cpu_seconds', 'CPU time of the process, user and system.', one((user + system) / 1e6)),
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
