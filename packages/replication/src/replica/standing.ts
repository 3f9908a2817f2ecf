/** The state of the copy that readers see: whether it is current, up to which revision, since when, and why not. */
import { type ReplicaState, replicaStates, type StoreCopy } from '@memsvc/shared/internal'
import { bootTime } from 'memfd-native'
import { EngineError } from '../engine/engine.ts'

/** The state of the copy at one moment. */
export interface CopyFacts {
  /** A full read has come to its end. */
  readonly isComplete: boolean
  /** The watch is open, and nothing that it had to make good was lost. */
  readonly isFollowed: boolean
  readonly applied: bigint
  /** The time (of `bootTime()`, in milliseconds) up to which the copy is known to be complete. */
  readonly contact: number
}

export interface StandingParts {
  readonly copy: StoreCopy
  readonly facts: () => CopyFacts
  /** Called when the state or its reason changes. */
  readonly onState: (state: ReplicaState, why: string | null) => void
}

/** A copy that was not proven for so long is not live any more. Milliseconds. */
export const LIVE_MS = 4000

export class Standing {
  readonly #parts: StandingParts
  #state: ReplicaState = replicaStates.SYNCING
  #reason: string | null = null
  #toldReason: string | null = null
  #isRefused = false

  constructor(parts: StandingParts) {
    this.#parts = parts
  }

  /** The state that was reported last. */
  get state(): ReplicaState {
    return this.#state
  }

  /** Null: there is nothing to say. */
  get reason(): string | null {
    return this.#reason
  }

  /** The watch is open. */
  opened(): void {
    this.#isRefused = false
    this.#reason = null
    this.tell()
  }

  /** The watch has ended, or could not begin. */
  ended(failure: unknown): void {
    this.#reason = failure instanceof Error ? failure.message : String(failure)
    this.#isRefused = isLasting(failure)
    this.tell()
  }

  /** This user may not write the pulse. */
  warn(why: string): void {
    this.#parts.onState(this.#state, why)
  }

  /** Something is known that was not, or time has passed. */
  tell(): void {
    const facts = this.#parts.facts()
    const state = this.#stateOf(facts)
    const { applied, contact } = facts
    this.#parts.copy.setReplica({ state, applied, contact })
    if (state === this.#state && this.#reason === this.#toldReason) return
    this.#state = state
    this.#toldReason = this.#reason
    this.#parts.onState(state, this.#reason)
  }

  #stateOf({ isComplete, isFollowed, contact }: CopyFacts): ReplicaState {
    if (this.#isRefused) return replicaStates.REFUSED
    if (!isComplete) return replicaStates.SYNCING
    return isFollowed && bootTime() - contact <= LIVE_MS ? replicaStates.LIVE : replicaStates.STALE
  }
}

/** Faults that need somebody's action: missing rights, or a copy that is too small. */
function isLasting(failure: unknown): boolean {
  if (failure instanceof EngineError) return failure.fault === 'denied'
  return (failure as { code?: unknown }).code === 'ERR_LIMIT'
}
