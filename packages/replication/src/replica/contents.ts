/**
 * What is in the copy: up to which revision, each key with the revision that wrote it. Everything that comes from the engine comes through
 * here, in its order, whole revisions at a time; who waits for a revision is told when it is in.
 */
import { type CoreEdit, checkKey, type StoreCopy } from '@memsvc/shared/internal'
import type { EngineChange, EngineValue } from '../engine/engine.ts'
import { PULSE_KEY } from './pulse-key.ts'
import { fromEngine } from './value-form.ts'

/** The pulse, as it came by last. */
export interface SeenPulse {
  readonly revision: bigint
  readonly value: Buffer | null
}

interface Waiter {
  readonly revision: bigint
  readonly tell: () => void
}

export class Contents {
  readonly #copy: StoreCopy
  /** Told of keys that have another value, or none, after each change. */
  onKeys: ((keys: Iterable<string>) => void) | null = null
  readonly #revisions = new Map<string, bigint>()
  #waiters: Waiter[] = []
  /** Who waits for a key to have another revision. */
  readonly #onChange = new Map<string, Set<() => void>>()
  #applied = 0n
  #isComplete = false
  #lastVersion = 0n
  #oddKeys = 0
  #pulse: SeenPulse | null = null

  constructor(copy: StoreCopy) {
    this.#copy = copy
  }

  /** Null: there was none yet, in this history. */
  get pulse(): SeenPulse | null {
    return this.#pulse
  }

  /** Everything up to there is in the copy, unless it never was complete. */
  get applied(): bigint {
    return this.#applied
  }

  /** Whether there was a full read that came to its end. */
  get isComplete(): boolean {
    return this.#isComplete
  }

  /** Keys that the engine has and no store can have. */
  get oddKeys(): number {
    return this.#oddKeys
  }

  get size(): number {
    return this.#revisions.size
  }

  /** 0n: it has no value here. */
  revisionOf(key: string): bigint {
    return this.#revisions.get(key) ?? 0n
  }

  /** What one answer of the watch has; whole revisions. @throws ERR_LIMIT no room: the copy is as it was */
  apply(changes: readonly EngineChange[]): void {
    const last = changes.reduce((last, { revision }) => (revision > last ? revision : last), this.#applied)
    this.#put(changes)
    this.#rise(last)
  }

  /** A page of a full read. @throws ERR_LIMIT no room */
  load(values: readonly EngineValue[], seen: Set<string>): void {
    for (const { key } of values) seen.add(key.toString())
    this.#put(values)
  }

  /**
   * A full read has come to its end: what it has not had is no more, and what it had is all there is at that revision.
   * @throws ERR_LIMIT no room
   */
  finish(revision: bigint, seen: ReadonlySet<string>): void {
    // Also keys that were put by an earlier life of this process: the copy itself knows them.
    const gone = this.#copy.keys.filter((key) => !seen.has(key))
    this.#put(gone.map((key) => ({ key: Buffer.from(key), revision, value: null })))
    this.#isComplete = true
    this.#applied = revision
    this.#rise(revision)
  }

  /** A full read begins: until its end the copy may lack what there is. */
  beginFullRead(): void {
    this.#isComplete = false
    this.#oddKeys = 0
  }

  /** The engine has another history: no revision of before means anything. */
  forget(): void {
    this.#isComplete = false
    this.#applied = 0n
    this.#pulse = null
    this.#revisions.clear()
  }

  /** Resolves once that revision is in the copy. */
  async untilApplied(revision: bigint, signal: AbortSignal): Promise<void> {
    if (this.#isComplete && this.#applied >= revision) return
    await new Promise<void>((resolve, reject) => {
      const waiter = { revision, tell: resolve }
      this.#waiters.push(waiter)
      onAbort(signal, () => {
        this.#waiters = this.#waiters.filter((each) => each !== waiter)
        reject(signal.reason)
      })
    })
  }

  /** Resolves once the key has another revision than this one. */
  async untilOther(key: string, revision: bigint, signal: AbortSignal): Promise<void> {
    while (this.revisionOf(key) === revision) {
      await new Promise<void>((resolve, reject) => {
        const waiting = this.#onChange.get(key) ?? new Set()
        this.#onChange.set(key, waiting)
        waiting.add(resolve)
        onAbort(signal, () => {
          waiting.delete(resolve)
          if (waiting.size === 0) this.#onChange.delete(key)
          reject(signal.reason)
        })
      })
    }
  }

  /**
   * The version that a change has in the copy, which has it: what somebody else made of it meanwhile has another one, and the answer
   * is then one that no value has any more.
   */
  versionOf(key: string, revision: bigint): bigint {
    const version = this.#copy.versionOf(key)
    if (version === 0n) return this.#lastVersion
    return this.revisionOf(key) === revision ? version : version - 1n
  }

  #put(changes: readonly EngineChange[]): void {
    for (const together of inTransactions(changes)) this.#putTogether(together)
  }

  #putTogether(changes: readonly EngineChange[]): void {
    const edits: CoreEdit[] = []
    const revisions = new Map<string, bigint>()
    for (const change of changes) {
      const key = change.key.toString()
      if (key === PULSE_KEY) this.#pulse = { revision: change.revision, value: change.value }
      else if (this.#isOdd(change.key, key)) continue
      else if (change.revision > (revisions.get(key) ?? this.revisionOf(key))) {
        edits.push({ key, value: change.value === null ? null : fromEngine(change.value) })
        revisions.set(key, change.value === null ? 0n : change.revision)
      }
    }
    if (edits.length === 0) return
    const version = this.#copy.apply(edits)
    if (version > 0n) this.#lastVersion = version
    for (const [key, revision] of revisions) {
      if (revision === 0n) this.#revisions.delete(key)
      else this.#revisions.set(key, revision)
    }
    this.onKeys?.(revisions.keys())
    this.#tellChanged(revisions.keys())
  }

  #isOdd(bytes: Buffer, key: string): boolean {
    try {
      checkKey(key)
      if (Buffer.from(key).equals(bytes)) return false
    } catch {
      // no key of a store
    }
    this.#oddKeys += 1
    return true
  }

  #rise(revision: bigint): void {
    if (revision > this.#applied) this.#applied = revision
    if (!this.#isComplete) return
    const ready = this.#waiters.filter((waiter) => waiter.revision <= this.#applied)
    if (ready.length === 0) return
    this.#waiters = this.#waiters.filter((waiter) => waiter.revision > this.#applied)
    for (const { tell } of ready) tell()
  }

  #tellChanged(keys: Iterable<string>): void {
    if (this.#onChange.size === 0) return
    for (const key of keys) {
      const waiting = this.#onChange.get(key)
      this.#onChange.delete(key)
      for (const tell of waiting ?? []) tell()
    }
  }
}

/** What an area takes at once. */
const MOST_EDITS = 256

/** Whole revisions, as many as go together; one that is larger in parts. */
function* inTransactions(changes: readonly EngineChange[]): Generator<readonly EngineChange[], void> {
  let begin = 0
  let whole = 0
  for (const [i, { revision }] of changes.entries()) {
    if (revision !== changes[i - 1]?.revision) whole = i
    if (i - begin < MOST_EDITS) continue
    const end = whole > begin ? whole : i
    yield changes.slice(begin, end)
    begin = end
  }
  if (begin < changes.length) yield changes.slice(begin)
}

function onAbort(signal: AbortSignal, act: () => void): void {
  if (signal.aborted) act()
  else signal.addEventListener('abort', act, { once: true })
}
