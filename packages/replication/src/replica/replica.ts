/**
 * The loop that keeps the copy current. It checks whether the engine continues the known history, and reads everything
 * again if not. Then it watches, and starts again if the watch ends or confirms nothing for a while.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { ReplicaState, StoreCopy } from '@memsvc/shared/internal'
import { bootTime } from 'memfd-native'
import { type Engine, type EngineChanges, type EngineEdit, EngineError, type Position } from '../engine/engine.ts'
import { Contents } from './contents.ts'
import { readAll } from './full-read.ts'
import { goesOn } from './history.ts'
import { Proofs } from './proofs.ts'
import { Pulse } from './pulse.ts'
import { PULSE_KEY_BYTES } from './pulse-key.ts'
import { type CopyFacts, LIVE_MS, Standing } from './standing.ts'

export interface ReplicaOptions {
  readonly engine: Engine
  readonly copy: StoreCopy
  readonly machine: string
  readonly mayWrite: boolean
  /** Called when the state or its reason changes. */
  readonly onState: (state: ReplicaState, why: string | null) => void
  /** Called during a full read with the number of keys so far. */
  readonly onProgress?: (keys: number) => void
}

/** The state, for people. */
export interface ReplicaStatus {
  /** Whether the copy is current: see `SharedStore.status`. */
  readonly state: ReplicaState
  readonly applied: bigint
  /** Null: nothing is known. */
  readonly ageMs: number | null
  /** Which cluster it is; empty: none was reached. */
  readonly cluster: string
  /** The node that is asked. */
  readonly endpoint: string
  /** In the copy. */
  readonly keys: number
  /** In the cluster, which no store can have. */
  readonly oddKeys: number
  /** How often the cluster was looked for. */
  readonly sessions: number
  /** How often everything was read. */
  readonly fullReads: number
  /** Why the state is what it is; null: there is nothing to say. */
  readonly reason: string | null
}

const CHECK_MS = 200
/** Until a watch is open. */
const OPEN_MS = 3000
const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 2000

export class Replica {
  readonly contents: Contents
  readonly #options: ReplicaOptions
  readonly #proofs = new Proofs()
  readonly #pulse: Pulse
  readonly #standing: Standing
  readonly #end = new AbortController()
  #isWatching = false
  /** Whether all that the watch had to make good was still there. */
  #isWhole = false
  #isChecking = false
  /** Whether the open watch has delivered all changes that were missing. */
  #onCaughtUp: () => void = () => undefined
  #cluster = ''
  #sessions = 0
  #fullReads = 0
  #pauseMs = FIRST_PAUSE_MS

  constructor(options: ReplicaOptions) {
    this.#options = options
    this.contents = new Contents(options.copy)
    this.#standing = new Standing({ copy: options.copy, facts: () => this.#facts, onState: options.onState })
    this.#pulse = new Pulse({
      ...options,
      onLook: (askedAt, revision) => {
        this.#proofs.add(askedAt, revision, this.#provenUpTo)
        this.#advance()
      },
      onDenied: () => this.#standing.warn('this user may not write the pulse: other machines must'),
    })
  }

  get status(): ReplicaStatus {
    const { contact } = this.#proofs
    return {
      state: this.#standing.state,
      applied: this.contents.applied,
      ageMs: contact === 0 ? null : Math.round(bootTime() - contact),
      cluster: this.#cluster,
      endpoint: this.#options.engine.endpoint,
      keys: this.contents.size,
      oddKeys: this.contents.oddKeys,
      sessions: this.#sessions,
      fullReads: this.#fullReads,
      reason: this.#standing.reason,
    }
  }

  /**
   * A change that this machine requested, and that was made at that position.
   * @returns whether it is in the copy now; if not, it will arrive from the watch, like all others
   */
  applyOwn({ cluster, revision }: Position, edits: readonly EngineEdit[]): boolean {
    if (!this.#isWatching || cluster !== this.#cluster || !this.contents.applyOwn(revision, edits)) return false
    this.#advance()
    return true
  }

  /** Until `close()`. */
  async run(): Promise<void> {
    const { signal } = this.#end
    this.#standing.tell()
    while (!signal.aborted) {
      let failure: unknown
      try {
        await this.#session()
      } catch (error) {
        failure = error
      }
      if (signal.aborted) return
      this.#ended(failure)
      await delay(this.#pauseMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined)
      this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS)
    }
  }

  close(): void {
    this.#end.abort()
    this.#pulse.stop()
  }

  get #facts(): CopyFacts {
    const { isComplete, applied } = this.contents
    const isFollowed = this.#isWatching && this.#isWhole
    return { isComplete, isFollowed, applied, contact: this.#proofs.contact }
  }

  /** Nothing is proven of a copy that is not complete, or may lack something. */
  get #provenUpTo(): bigint {
    return this.contents.isComplete && this.#isWhole ? this.contents.applied : -1n
  }

  #ended(failure: unknown): void {
    this.#isWatching = this.#isWhole = false
    // Changes that are too long for a watch can be read in pages.
    if (failure instanceof EngineError && ['compacted', 'tooLarge'].includes(failure.fault))
      this.contents.beginFullRead()
    if (!isCompacted(failure)) this.#options.engine.turn()
    this.#standing.ended(failure)
  }

  /** Never returns: ends by an error. */
  async #session(): Promise<never> {
    this.#sessions += 1
    const { engine } = this.#options
    const askedAt = bootTime()
    const look = await engine.look(PULSE_KEY_BYTES)
    const isKnown = this.#cluster !== ''
    if (isKnown && !(await goesOn(engine, this.contents, { cluster: this.#cluster, now: look }))) this.#forget()
    this.#cluster = look.cluster
    if (!this.contents.isComplete) {
      this.#standing.tell()
      this.#fullReads += 1
      await readAll(engine, this.contents, (keys) => this.#options.onProgress?.(keys))
    }
    this.#proofs.add(askedAt, look.revision, this.contents.applied)
    return this.#watch()
  }

  async #watch(): Promise<never> {
    const { engine } = this.#options
    const abort = new AbortController()
    const openedAt = bootTime()
    const from = this.contents.applied
    let failure: unknown = null
    const fail = (error: unknown) => {
      failure ??= error
      abort.abort()
    }
    const onEnd = () => fail(new EngineError('unknown', 'closed'))
    this.#onCaughtUp = () => void this.#checkWhole(from, abort.signal).catch(fail)
    const check = setInterval(() => this.#check(openedAt, fail), CHECK_MS)
    this.#end.signal.addEventListener('abort', onEnd)
    if (this.#end.signal.aborted) onEnd()
    const sink = {
      onOpen: (position: Position) => attempt(fail, () => this.#opened(position, from)),
      onChanges: (changes: EngineChanges) => attempt(fail, () => this.#take(changes)),
    }
    try {
      return await engine.watch(from + 1n, sink, abort.signal)
    } catch (error) {
      throw failure ?? error
    } finally {
      this.#pulse.stop()
      this.#onCaughtUp = () => undefined
      clearInterval(check)
      this.#end.signal.removeEventListener('abort', onEnd)
    }
  }

  #check(openedAt: number, fail: (error: unknown) => void): void {
    this.#standing.tell()
    const now = bootTime()
    if (!this.#isWatching && now - openedAt > OPEN_MS)
      fail(new EngineError('unknown', 'the watch did not open in time'))
    if (now - Math.max(this.#proofs.contact, openedAt) > LIVE_MS) {
      fail(new EngineError('unknown', `nothing has confirmed the copy for ${LIVE_MS / 1000} s`))
    }
  }

  #opened(position: Position, from: bigint): void {
    this.#checkCluster(position)
    this.#isWatching = true
    this.#isWhole = position.revision <= from
    this.#pulse.start(this.contents.pulse?.value ? this.contents.pulse.revision : 0n)
    this.#standing.opened()
  }

  #take(changes: EngineChanges): void {
    this.#checkCluster(changes)
    const { pulse } = this.contents
    this.contents.apply(changes.changes)
    this.#advance()
    if (this.contents.pulse !== null && this.contents.pulse !== pulse) this.#pulse.seen(this.contents.pulse)
  }

  /** The copy has come further, or it is known how far the cluster was at some moment. */
  #advance(): void {
    if (!this.#isWhole && this.#proofs.wouldProve(this.contents.applied)) this.#onCaughtUp()
    if (this.#proofs.applied(this.#provenUpTo)) this.#pauseMs = FIRST_PAUSE_MS
    this.#standing.tell()
  }

  /**
   * If a delete is the last change that was compacted, a watch that begins there does not report it (etcd 3.4). So
   * after the watch has delivered the missing changes, this checks that its first revision can still be read.
   * @throws compacted
   */
  async #checkWhole(from: bigint, signal: AbortSignal): Promise<void> {
    if (this.#isChecking) return
    this.#isChecking = true
    try {
      await this.#options.engine.lookAt(PULSE_KEY_BYTES, from)
    } finally {
      this.#isChecking = false
    }
    if (signal.aborted) return
    this.#isWhole = true
    this.#advance()
  }

  #checkCluster({ cluster }: Position): void {
    if (cluster !== this.#cluster)
      throw new EngineError('unknown', `cluster ${cluster} answers instead of ${this.#cluster}`)
  }

  #forget(): void {
    this.contents.forget()
    this.#proofs.forget()
  }
}

function isCompacted(failure: unknown): boolean {
  return failure instanceof EngineError && failure.fault === 'compacted'
}

function attempt(fail: (error: unknown) => void, act: () => void): void {
  try {
    act()
  } catch (error) {
    fail(error)
  }
}
