/**
 * What a benchmark is: groups of contenders that do the same work and are measured in turn, A B C A B C, so that whatever
 * disturbs the machine disturbs all of them. Only ratios within one group mean something.
 */

/** Figures of one round, by name: p50, p99 (us), ns, rate (per second), bytes ... */
export type Sample = Readonly<Record<string, number>>

/** Where a contender runs: a folder of its own for sockets, and the cores; null leaves a process unpinned. */
export interface Place {
  readonly folder: string
  readonly serverCpu: number | null
  readonly clientCpu: number | null
}

/** A contender that is running, its answers checked. */
export interface Subject {
  /** Works for about so long. */
  sample(milliseconds: number): Promise<Sample>
  /** Ends all its processes. */
  close(): Promise<void>
}

export type Contender =
  | { readonly name: string; open(place: Place): Promise<Subject> }
  /** One that cannot be had here, and why. */
  | { readonly name: string; readonly absent: string }

/** "same": server and client on one core, the cost of the code; "split": one core each; "free": unpinned. */
export type Pinning = 'same' | 'split' | 'free'

export type Unit = 'us' | 'ns' | 'ms' | 'per second' | 'bytes' | 'count'

export interface Figure {
  readonly key: string
  readonly unit: Unit
  /** A figure that stands for itself: no ratios. */
  readonly isAbsolute?: true
}

export interface Group {
  readonly name: string
  readonly pinning: Pinning
  /** The contender that ratios are against. */
  readonly base: string
  readonly figures: readonly Figure[]
  /** Where fewer are enough, because nothing scatters. One round is not preceded by another to warm up. */
  readonly rounds?: number
  /** How long each contender works before anything counts: where one operation takes long, compilers need long for it. */
  readonly warmUpMilliseconds?: number
  readonly contenders: readonly Contender[]
}

export interface Benchmark {
  readonly name: string
  readonly title: string
  /** What the work is, and what to keep in mind when reading the figures. Markdown. */
  readonly about: string
  readonly groups: readonly Group[]
}

export const ROUND_TRIP: readonly Figure[] = [
  { key: 'p50', unit: 'us' },
  { key: 'p99', unit: 'us' },
]
export const THROUGHPUT: readonly Figure[] = [{ key: 'rate', unit: 'per second' }]
export const PER_OPERATION: readonly Figure[] = [{ key: 'ns', unit: 'ns' }]
