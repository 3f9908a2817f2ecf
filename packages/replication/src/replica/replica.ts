/**
 * The loop that keeps the copy true: look whether the engine goes on with the history that is known, read everything anew where it does not, watch, and
 * begin again when the watch ends or proves nothing for a while. What readers are told is decided here, and nowhere else.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { type ReplicaState, replicaStates, type StoreCopy } from '@memsvc/shared/internal'
import { bootTime } from 'memfd-native'
import { type Engine, type EngineChanges, EngineError, type Position } from '../engine/engine.ts'
import { Contents } from './contents.ts'
import { readAll } from './full-read.ts'
import { Proofs } from './proofs.ts'
import { Pulse } from './pulse.ts'
import { PULSE_KEY_BYTES } from './pulse-key.ts'

export interface ReplicaOptions {
  readonly engine: Engine
  readonly copy: StoreCopy
  readonly machine: string
  readonly mayWrite: boolean
  /** Told when the state is another one, and why. */
  readonly onState: (state: ReplicaState, why: string | null) => void
  /** Told how many keys a full read has had so far. */
  readonly onProgress?: (keys: number) => void
}

/** What is known of it, for people. */
export interface ReplicaStatus {
  /** How true the copy is. */
  readonly state: ReplicaState
  readonly applied: bigint
  /** Null: nothing is known. */
  readonly ageMs: number | null
  /** Which cluster it is; empty: none was reached. */
  readonly cluster: string
  /** Whom it asks. */
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

/** A copy that was not proven for so long is not live any more, and the watch is opened anew, elsewhere. Milliseconds. */
const LIVE_MS = 4000
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
  readonly #end = new AbortController()
  #state: ReplicaState = replicaStates.SYNCING
  #isWatching = false
  #isRefused = false
  #cluster = ''
  #reason: string | null = null
  #sessions = 0
  #fullReads = 0
  #pauseMs = FIRST_PAUSE_MS

  constructor(options: ReplicaOptions) {
    this.#options = options
    this.contents = new Contents(options.copy)
    this.#pulse = new Pulse({
      ...options,
      onLook: (askedAt, revision) => {
        if (this.#proofs.add(askedAt, revision, this.#provenUpTo)) this.#tell()
      },
      onDenied: () => this.#options.onState(this.#state, 'this user may not write the pulse: others must'),
    })
  }

  get status(): ReplicaStatus {
    const { contact } = this.#proofs
    return {
      state: this.#state,
      applied: this.contents.applied,
      ageMs: contact === 0 ? null : Math.round(bootTime() - contact),
      cluster: this.#cluster,
      endpoint: this.#options.engine.endpoint,
      keys: this.contents.size,
      oddKeys: this.contents.oddKeys,
      sessions: this.#sessions,
      fullReads: this.#fullReads,
      reason: this.#reason,
    }
  }

  /** Until `close()`. */
  async run(): Promise<void> {
    const { signal } = this.#end
    this.#tell()
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

  /** What is proven goes no further than a copy that is complete. */
  get #provenUpTo(): bigint {
    return this.contents.isComplete ? this.contents.applied : -1n
  }

  #ended(failure: unknown): void {
    this.#isWatching = false
    this.#reason = failure instanceof Error ? failure.message : String(failure)
    this.#isRefused = isLasting(failure)
    if (failure instanceof EngineError && failure.fault === 'compacted') this.contents.beginFullRead()
    else this.#options.engine.turn()
    this.#tell()
  }

  /** Never returns: ends by an error. */
  async #session(): Promise<never> {
    this.#sessions += 1
    const { engine } = this.#options
    const askedAt = bootTime()
    const look = await engine.look(PULSE_KEY_BYTES)
    if (!(await this.#isSameHistory(look))) this.#forget()
    this.#cluster = look.cluster
    if (!this.contents.isComplete) {
      this.#tell()
      this.#fullReads += 1
      await readAll(engine, this.contents, (keys) => this.#options.onProgress?.(keys))
    }
    this.#proofs.add(askedAt, look.revision, this.contents.applied)
    return this.#watch()
  }

  /** Whether what is in the copy is the beginning of what the engine has now. */
  async #isSameHistory({ cluster, revision }: Position): Promise<boolean> {
    if (this.#cluster === '') return true
    if (cluster !== this.#cluster || revision < this.contents.applied) return false
    const { pulse } = this.contents
    if (pulse === null || !this.contents.isComplete) return true
    // A backup that was restored can have passed this revision meanwhile: then another pulse was there, or none.
    try {
      const then = await this.#options.engine.lookAt(PULSE_KEY_BYTES, pulse.revision)
      if (pulse.value === null) return then === null
      return then !== null && then.revision === pulse.revision && then.value.equals(pulse.value)
    } catch (error) {
      if (error instanceof EngineError && error.fault === 'refused') return false
      throw error
    }
  }

  async #watch(): Promise<never> {
    const { engine } = this.#options
    const abort = new AbortController()
    const openedAt = bootTime()
    let failure: unknown = null
    const fail = (error: unknown) => {
      failure ??= error
      abort.abort()
    }
    const onEnd = () => fail(new EngineError('unknown', 'closed'))
    const check = setInterval(() => this.#check(openedAt, fail), CHECK_MS)
    this.#end.signal.addEventListener('abort', onEnd)
    if (this.#end.signal.aborted) onEnd()
    const sink = {
      onOpen: (position: Position) => attempt(fail, () => this.#opened(position)),
      onChanges: (changes: EngineChanges) => attempt(fail, () => this.#take(changes)),
    }
    try {
      return await engine.watch(this.contents.applied + 1n, sink, abort.signal)
    } catch (error) {
      throw failure ?? error
    } finally {
      this.#pulse.stop()
      clearInterval(check)
      this.#end.signal.removeEventListener('abort', onEnd)
    }
  }

  #check(openedAt: number, fail: (error: unknown) => void): void {
    this.#tell()
    const now = bootTime()
    if (!this.#isWatching && now - openedAt > OPEN_MS) fail(new EngineError('unknown', 'the watch does not open'))
    if (now - Math.max(this.#proofs.contact, openedAt) > LIVE_MS) {
      fail(new EngineError('unknown', `nothing has proven the copy for ${LIVE_MS / 1000} s`))
    }
  }

  #opened(position: Position): void {
    this.#checkCluster(position)
    this.#isWatching = true
    this.#isRefused = false
    this.#reason = null
    this.#pulse.start(this.contents.pulse?.value ? this.contents.pulse.revision : 0n)
    this.#tell()
  }

  #take(changes: EngineChanges): void {
    this.#checkCluster(changes)
    const { pulse } = this.contents
    this.contents.apply(changes.changes)
    if (this.#proofs.applied(this.contents.applied)) this.#pauseMs = FIRST_PAUSE_MS
    if (this.contents.pulse !== null && this.contents.pulse !== pulse) this.#pulse.seen(this.contents.pulse)
    this.#tell()
  }

  #checkCluster({ cluster }: Position): void {
    if (cluster !== this.#cluster)
      throw new EngineError('unknown', `cluster ${cluster} answers, and not ${this.#cluster}`)
  }

  #forget(): void {
    this.contents.forget()
    this.#proofs.forget()
  }

  #tell(): void {
    const { contact } = this.#proofs
    const state = this.#stateNow()
    this.#options.copy.setReplica({ state, applied: this.contents.applied, contact })
    if (state === this.#state) return
    this.#state = state
    this.#options.onState(state, this.#reason)
  }

  #stateNow(): ReplicaState {
    if (this.#isRefused) return replicaStates.REFUSED
    if (!this.contents.isComplete) return replicaStates.SYNCING
    const isProven = bootTime() - this.#proofs.contact <= LIVE_MS
    return this.#isWatching && isProven ? replicaStates.LIVE : replicaStates.STALE
  }
}

/** What does not heal by itself: rights, or a copy that is too small. */
function isLasting(failure: unknown): boolean {
  if (failure instanceof EngineError) return failure.fault === 'denied'
  return (failure as { code?: unknown }).code === 'ERR_LIMIT'
}

function attempt(fail: (error: unknown) => void, act: () => void): void {
  try {
    act()
  } catch (error) {
    fail(error)
  }
}
