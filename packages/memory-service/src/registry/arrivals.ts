/**
 * How fast one user may connect: each user has a token bucket, which is checked before anything is made for a connection.
 * Connecting costs a client 10 microseconds and the registry ten times as much. So without a limit a few processes of one
 * user would take all of the registry's time.
 */
import { DAEMON_LIMITS } from '../quota/limits.ts'

export interface ArrivalsOptions {
  /** This user has no limit, and neither has root. */
  readonly ownUid: number
  readonly burst?: number
  readonly perSecond?: number
  /** How many users have a count of their own; all others share one. */
  readonly maxUsers?: number
  /** Milliseconds that only go forward. */
  readonly now?: () => number
}

/**
 * A refused user is not asked about again until the bucket has room for this many connections. That takes 16 ms, a little
 * longer than the longest pause of the library.
 */
const ROW = 8

interface Bucket {
  tokens: number
  /** When the tokens were counted. */
  at: number
}

export class Arrivals {
  readonly #ownUid: number
  readonly #burst: number
  readonly #perMs: number
  readonly #maxUsers: number
  readonly #now: () => number
  readonly #buckets = new Map<number, Bucket>()
  readonly #others: Bucket
  #prunedAt = Number.NEGATIVE_INFINITY

  constructor(options: ArrivalsOptions) {
    const { ownUid, now = () => performance.now() } = options
    const { burst = DAEMON_LIMITS.arrivals.limit, perSecond = DAEMON_LIMITS.arrivalsPerSecond.limit } = options
    this.#ownUid = ownUid
    this.#burst = burst
    this.#perMs = perSecond / 1000
    this.#maxUsers = options.maxUsers ?? DAEMON_LIMITS.arrivingUsers.limit
    this.#now = now
    this.#others = { tokens: burst, at: now() }
  }

  /** How many users have a count of their own at the moment. */
  get users(): number {
    return this.#buckets.size
  }

  /** Whether one more connection of this user may be served now. If so, it is counted. */
  admits(uid: number): boolean {
    if (uid === this.#ownUid || uid === 0) return true
    const now = this.#now()
    const bucket = this.#buckets.get(uid) ?? this.#newBucket(uid, now)
    this.#fill(bucket, now)
    if (bucket.tokens < 1) return false
    bucket.tokens -= 1
    return true
  }

  /**
   * For how many milliseconds a user who was refused need not be checked again: until the user may make several
   * connections again. This does not change how many connections the user may make.
   */
  restMs(uid: number): number {
    const { tokens } = this.#buckets.get(uid) ?? this.#others
    return Math.max(0, Math.min(ROW, this.#burst) - tokens) / this.#perMs
  }

  #newBucket(uid: number, now: number): Bucket {
    if (this.#buckets.size >= this.#maxUsers) this.#pruneFull(now)
    if (this.#buckets.size >= this.#maxUsers) return this.#others
    const bucket = { tokens: this.#burst, at: now }
    this.#buckets.set(uid, bucket)
    return bucket
  }

  /** Forgets full buckets, which limit nothing. Not more often than a bucket takes to fill, because looking at all takes time. */
  #pruneFull(now: number): void {
    if (now - this.#prunedAt < this.#burst / this.#perMs) return
    this.#prunedAt = now
    for (const [uid, bucket] of this.#buckets) {
      this.#fill(bucket, now)
      if (bucket.tokens === this.#burst) this.#buckets.delete(uid)
    }
  }

  #fill(bucket: Bucket, now: number): void {
    bucket.tokens = Math.min(this.#burst, bucket.tokens + (now - bucket.at) * this.#perMs)
    bucket.at = now
  }
}
