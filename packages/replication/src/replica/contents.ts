/**
 * The contents of the copy: up to which revision it is complete, and for each key the revision that wrote it. All
 * changes from the engine pass through here in order, in whole revisions. Calls that wait for a revision are notified
 * when it is in the copy.
 */
import { errorCode } from '@memsvc/shared'
import { type CoreEdit, checkKey, type StoreCopy } from '@memsvc/shared/internal'
import type { EngineChange, EngineEdit, EngineValue } from '../engine/engine.ts'
import { PULSE_KEY } from './pulse-key.ts'
import { inTransactions, middleOf } from './transactions.ts'
import { fromEngine } from './value-form.ts'

/** Whether a key that has the second revision here is to have what the first one has written. */
type IsNew = (revision: bigint, here: bigint) => boolean

/** Changes from a watch, which may repeat known ones. */
const later: IsNew = (revision, here) => revision > here
const always: IsNew = () => true

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
  /** Calls that wait until a key has another revision. */
  readonly #onChange = new Map<string, Set<() => void>>()
  #applied = 0n
  #isComplete = false
  #lastVersion = 0n
  #oddKeys = 0
  #highest = 0n
  #pulse: EngineChange | null = null
  #newest: EngineChange | null = null

  constructor(copy: StoreCopy) {
    this.#copy = copy
  }

  /** The last one that arrived; null if there was none yet in this history. */
  get pulse(): EngineChange | null {
    return this.#pulse
  }

  /** Two of the changes that have arrived, which distinguish this history from another one. */
  get marks(): readonly EngineChange[] {
    const marks = [this.#pulse, this.#newest].filter((change) => change !== null)
    return marks[0] === marks[1] ? marks.slice(1) : marks
  }

  /** No revision of this history that is known is higher. */
  get highest(): bigint {
    return this.#highest > this.#applied ? this.#highest : this.#applied
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

  /**
   * Applies changes from the watch, in whole revisions. Changes that this machine made may be in the copy already.
   * @throws ERR_LIMIT if there is no room; then all of them must be sent again
   */
  apply(changes: readonly EngineChange[]): void {
    const last = changes.at(-1)
    if (last === undefined) return
    this.#put(
      changes.filter(({ revision }) => revision > this.#applied),
      later,
    )
    this.#newest = last
    this.#rise(last.revision)
  }

  /**
   * Applies a change that this machine made, before it arrives from the watch, if all earlier changes are in the copy.
   * @returns whether it is in the copy
   */
  applyOwn(revision: bigint, edits: readonly EngineEdit[]): boolean {
    if (!this.#isComplete || revision !== this.#applied + 1n) return false
    try {
      this.#put(
        edits.map((edit) => ({ ...edit, revision })),
        later,
      )
    } catch (error) {
      if (!isNoRoom(error)) throw error
      return false
    }
    this.#rise(revision)
    return true
  }

  /** A page of a full read. @throws ERR_LIMIT no room */
  load(values: readonly EngineValue[]): void {
    this.#put(
      values.filter((value) => !this.#isHere(value)),
      always,
    )
    for (const value of values) if (value.revision > (this.#newest?.revision ?? 0n)) this.#newest = value
  }

  /** These are all keys at that revision. Other keys of the copy were deleted. */
  keepOnly(keys: ReadonlySet<string>, revision: bigint): void {
    // Also keys that were put before another history began: the copy itself knows them.
    const gone = this.#copy.keys.filter((key) => !keys.has(key))
    this.#put(
      gone.map((key) => ({ key: Buffer.from(key), revision, value: null })),
      always,
    )
  }

  /** A full read is complete: the copy has exactly the keys of that revision. */
  finish(revision: bigint): void {
    this.#isComplete = true
    this.#applied = revision
    this.#rise(revision)
  }

  /** A full read begins, or has to: until its end the copy may lack what there is. */
  beginFullRead(): void {
    this.#isComplete = false
    this.#oddKeys = 0
  }

  /** The engine has another history: no revision of before means anything. */
  forget(): void {
    this.#isComplete = false
    this.#applied = this.#highest = 0n
    this.#pulse = this.#newest = null
    this.#revisions.clear()
  }

  /** Whether that revision is in the copy. */
  has(revision: bigint): boolean {
    return this.#isComplete && this.#applied >= revision
  }

  /** Resolves once that revision is in the copy. */
  async untilApplied(revision: bigint, signal: AbortSignal): Promise<void> {
    if (this.has(revision)) return
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
   * The version of a change in the copy. If somebody else has changed the key since, it is a version that no value has
   * any more.
   */
  versionOf(key: string, revision: bigint): bigint {
    const version = this.#copy.versionOf(key)
    if (version === 0n) return this.#lastVersion
    return this.revisionOf(key) === revision ? version : version - 1n
  }

  /** Also by its bytes: of another history, which nobody could tell, a revision says nothing. */
  #isHere({ key, revision, value }: EngineValue): boolean {
    const name = key.toString()
    const here = this.revisionOf(name) === revision ? this.#copy.read(name) : null
    if (here === null) return false
    const { type, bytes } = fromEngine(value)
    return here.type === type && Buffer.from(bytes).equals(here.bytes)
  }

  #put(changes: readonly EngineChange[], isNew: IsNew): void {
    for (const together of inTransactions(changes)) this.#putAsFits(together, isNew)
  }

  /**
   * The space of replaced values becomes free only after a transaction, so changes that do not fit together may fit one
   * after the other.
   */
  #putAsFits(changes: readonly EngineChange[], isNew: IsNew): void {
    try {
      this.#putTogether(changes, isNew)
    } catch (error) {
      const middle = middleOf(changes)
      if (!isNoRoom(error) || middle === 0) throw error
      this.#putAsFits(changes.slice(0, middle), isNew)
      this.#putAsFits(changes.slice(middle), isNew)
    }
  }

  #putTogether(changes: readonly EngineChange[], isNew: IsNew): void {
    const edits: CoreEdit[] = []
    const revisions = new Map<string, bigint>()
    let oddKeys = 0
    for (const change of changes) {
      const key = change.key.toString()
      if (change.revision > this.#highest) this.#highest = change.revision
      if (key === PULSE_KEY) this.#pulse = change
      else if (isOdd(change.key, key)) oddKeys += 1
      else if (isNew(change.revision, revisions.get(key) ?? this.revisionOf(key))) {
        edits.push({ key, value: change.value === null ? null : fromEngine(change.value) })
        revisions.set(key, change.value === null ? 0n : change.revision)
      }
    }
    const version = edits.length === 0 ? 0n : this.#copy.apply(edits)
    this.#oddKeys += oddKeys
    if (edits.length === 0) return
    if (version > 0n) this.#lastVersion = version
    for (const [key, revision] of revisions) {
      if (revision === 0n) this.#revisions.delete(key)
      else this.#revisions.set(key, revision)
    }
    this.onKeys?.(revisions.keys())
    this.#tellChanged(revisions.keys())
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

function isNoRoom(error: unknown): boolean {
  return errorCode(error) === 'ERR_LIMIT'
}

/** Whether no store can have it. */
function isOdd(bytes: Buffer, key: string): boolean {
  try {
    checkKey(key)
    return !Buffer.from(key).equals(bytes)
  } catch {
    return true
  }
}

function onAbort(signal: AbortSignal, act: () => void): void {
  if (signal.aborted) act()
  else signal.addEventListener('abort', act, { once: true })
}
