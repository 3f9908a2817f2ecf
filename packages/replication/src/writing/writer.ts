/**
 * Makes the changes that clients of this machine request: in the engine, with compare-and-set or as the last writer. A
 * change is answered when it is committed and in the copy. Errors say whether a change certainly was not made, or may
 * have been made.
 */
import { ConflictError, InvalidArgValueError, LimitError, ReadOnlyError, TimeoutError } from '@memsvc/shared'
import type { CoreEdit, StoreCopy, StoreOrigin } from '@memsvc/shared/internal'
import {
  type Engine,
  type EngineEdit,
  EngineError,
  type EngineValue,
  type Position,
  type Transaction,
  type TransactionResult,
} from '../engine/engine.ts'
import type { Contents } from '../replica/contents.ts'
import { PULSE_KEY } from '../replica/pulse-key.ts'
import { fromEngine, JSON_TEXT, toEngine } from '../replica/value-form.ts'
import { Patience } from './patience.ts'
import { KeyTurns } from './turns.ts'

export interface WriterOptions {
  readonly engine: Engine
  readonly mayWrite: boolean
  /** For all of a change. Milliseconds. */
  readonly timeoutMs?: number
}

/** What fills the copy. */
export interface Filler {
  readonly contents: Contents
  /**
   * @returns whether this machine's change at that position is in the copy now; if not, it will arrive from the watch
   */
  applyOwn(position: Position, edits: readonly EngineEdit[]): boolean
}

/** Less than a client waits, so that it gets the details of the failure. */
const TIMEOUT_MS = 4000
/** The limit for all clients together. */
const MOST_AT_ONCE = 256

export class Writer implements StoreOrigin {
  readonly #options: WriterOptions
  readonly #turns = new KeyTurns()
  readonly #end = new AbortController()
  #copy: StoreCopy | null = null
  #filler: Filler | null = null
  #underWay = 0
  #counts = { done: 0, conflicts: 0, unknown: 0, refused: 0 }

  constructor(options: WriterOptions) {
    this.#options = options
  }

  get counts(): Readonly<Record<'done' | 'conflicts' | 'unknown' | 'refused' | 'underWay', number>> {
    return { ...this.#counts, underWay: this.#underWay }
  }

  /** The copy: there from the first call on. */
  get copy(): StoreCopy {
    if (this.#copy === null) throw new Error('the store has not begun')
    return this.#copy
  }

  begin(copy: StoreCopy): void {
    this.#copy = copy
  }

  /** Before the first change. */
  use(filler: Filler): void {
    this.#filler = filler
  }

  revisionOf(key: string): bigint {
    return this.#filled.revisionOf(key)
  }

  end(): void {
    this.#end.abort(new EngineError('unknown', 'the store is closed'))
  }

  update(edits: readonly CoreEdit[]): Promise<bigint> {
    return this.#inTime(
      edits.map(({ key }) => key),
      (patience) => this.#update(edits, patience),
    )
  }

  increment(key: string, by: number): Promise<number> {
    return this.#inTime([key], (patience) => this.#increment(key, by, patience))
  }

  async #update(edits: readonly CoreEdit[], patience: Patience): Promise<bigint> {
    const conditions = edits.filter(({ ifVersion }) => ifVersion !== undefined)
    if (conditions.length > 0) await this.#known(patience)
    for (const { key, ifVersion } of conditions) this.#checkVersion(key, ifVersion as bigint)
    // If a key appears twice, its last change counts.
    const last = [...new Map(edits.map((edit) => [edit.key, edit])).values()]
    const names = [...new Set(conditions.map(({ key }) => key))]
    const transaction: Transaction = {
      conditions: names.map((key) => this.#conditionOf(key)),
      edits: last.map(({ key, value }) => ({ key: Buffer.from(key), value: value === null ? null : toEngine(value) })),
      // Which one of several was not true.
      wants: names.length > 1 ? 'revisions' : 'nothing',
    }
    const result = await this.#options.engine.commit(transaction, patience.leftMs)
    if (!result.isDone) return this.#conflict(transaction, result, patience)
    if (!result.hasChanged) return 0n
    await this.#untilHere(result, transaction.edits, patience)
    const { key } = last.find(({ value }) => value !== null) ?? (last[0] as CoreEdit)
    return this.#filled.versionOf(key, result.revision)
  }

  async #increment(key: string, by: number, patience: Patience): Promise<number> {
    const name = Buffer.from(key)
    let present = this.#presentOf(key)
    for (;;) {
      const sum = (present === null ? 0 : numberOf(key, present.value)) + by
      if (!Number.isFinite(sum)) throw new InvalidArgValueError(`the sum for ${key} is too large for a number`)
      const transaction: Transaction = {
        conditions: [{ key: name, revision: present?.revision ?? 0n }],
        edits: [{ key: name, value: Buffer.from(JSON.stringify(sum)) }],
        wants: 'values',
      }
      const result = await this.#options.engine.commit(transaction, patience.leftMs)
      if (result.isDone) {
        await this.#untilHere(result, transaction.edits, patience)
        return sum
      }
      present = result.present[0] ?? null
      if (patience.isOver) throw new NothingDone(`others changed ${key} again and again until the deadline`)
    }
  }

  /** The value in the copy. If it is out of date, the engine reports a conflict. */
  #presentOf(key: string): EngineValue | null {
    const record = this.copy.read(key)
    const revision = this.#filled.revisionOf(key)
    if (record === null || revision === 0n) return null
    return { key: Buffer.from(key), revision, value: toEngine(record) }
  }

  #checkVersion(key: string, ifVersion: bigint): void {
    const version = this.copy.versionOf(key)
    if (version !== ifVersion) throw new ConflictError(key, version, this.#origin(key))
  }

  #conditionOf(key: string): { key: Buffer; revision: bigint } {
    return { key: Buffer.from(key), revision: this.#filled.revisionOf(key) }
  }

  /** Without it a revision that is known may be one of another history. */
  async #known(patience: Patience): Promise<void> {
    if (this.#filled.isComplete) return
    try {
      await this.#filled.untilApplied(0n, patience.signal)
    } catch (cause) {
      throw new NothingDone('the copy is not complete, so the values of the cluster are not known', { cause })
    }
  }

  /** After a conflict the caller reads the current value, so the answer waits until the copy has it. */
  async #conflict({ conditions }: Transaction, { present }: TransactionResult, patience: Patience): Promise<never> {
    const at = conditions.findIndex(({ revision }, i) => (present[i]?.revision ?? 0n) !== revision)
    const { key, revision } = conditions[Math.max(at, 0)] as (typeof conditions)[number]
    const name = key.toString()
    try {
      await this.#filled.untilOther(name, revision, patience.signal)
    } catch (cause) {
      throw new NothingDone(`${name} has a newer value in the cluster, which has not arrived here yet`, { cause })
    }
    throw new ConflictError(name, this.copy.versionOf(name), this.#origin(name))
  }

  /** Which revision wrote the value that is here. */
  #origin(key: string): { revision?: bigint } {
    const revision = this.#filled.revisionOf(key)
    return revision === 0n ? {} : { revision }
  }

  /**
   * If nothing else changed in between, the engine's answer says as much as the watch would. Often the watch was
   * faster.
   */
  async #untilHere(position: Position, edits: readonly EngineEdit[], patience: Patience): Promise<void> {
    const { revision } = position
    if (this.#filled.has(revision) || this.#there.applyOwn(position, edits)) return
    try {
      await this.#filled.untilApplied(revision, patience.signal)
    } catch (cause) {
      const message = `the change was made (revision ${revision}), but has not arrived here yet: this machine receives no changes from the cluster`
      throw new TimeoutError(message, { cause })
    }
  }

  get #filled(): Contents {
    return this.#there.contents
  }

  get #there(): Filler {
    if (this.#filler === null) throw new Error('nothing fills the copy')
    return this.#filler
  }

  /**
   * Runs within the time of one change, when it is the turn of its keys.
   * @throws the error for the caller
   */
  async #inTime<T>(keys: readonly string[], act: (patience: Patience) => Promise<T>): Promise<T> {
    const { mayWrite, timeoutMs = TIMEOUT_MS } = this.#options
    if (!mayWrite) throw this.#refused(new ReadOnlyError('this machine may only read these values'))
    if (keys.includes(PULSE_KEY))
      throw this.#refused(
        new InvalidArgValueError(`the key ${PULSE_KEY} is reserved in a store that is a copy of a cluster`),
      )
    if (this.#underWay >= MOST_AT_ONCE)
      throw this.#refused(new LimitError('changes under way', MOST_AT_ONCE, this.#underWay))
    this.#underWay += 1
    const patience = new Patience(timeoutMs, this.#end.signal)
    try {
      const result = await this.#turns.take(keys, async () => {
        if (patience.isOver) throw new NothingDone('earlier changes took all the time')
        return act(patience)
      })
      this.#counts.done += 1
      return result
    } catch (error) {
      throw this.#told(error)
    } finally {
      this.#underWay -= 1
    }
  }

  #refused(error: Error): Error {
    this.#counts.refused += 1
    return error
  }

  /** In the words of a store. */
  #told(error: unknown): unknown {
    if (error instanceof ConflictError) {
      this.#counts.conflicts += 1
      return error
    }
    if (error instanceof TimeoutError) {
      this.#counts.unknown += 1
      return error
    }
    if (error instanceof NothingDone) return this.#refused(nothingHappened(error))
    if (!(error instanceof EngineError)) return error
    const { message } = error
    switch (error.fault) {
      case 'denied':
        return this.#refused(new ReadOnlyError(message, { cause: error }))
      case 'full':
        return this.#refused(new LimitError('bytes of the cluster', 0, 0, { cause: error }))
      case 'tooLarge':
        return this.#refused(new LimitError('bytes of a request to the cluster', 0, 0, { cause: error }))
      case 'unsent':
      case 'refused':
      case 'compacted':
        return this.#refused(nothingHappened(error))
      case 'unknown':
        this.#counts.unknown += 1
        return new TimeoutError(`the outcome is unknown, read the value before you try again: ${message}`, {
          cause: error,
        })
    }
  }
}

/** It was aborted before anything was changed. */
class NothingDone extends Error {}

function nothingHappened(cause: Error): TimeoutError {
  return new TimeoutError(`nothing was changed: ${cause.message}`, { cause })
}

function numberOf(key: string, value: Buffer): number {
  const { type, bytes } = fromEngine(value)
  if (type !== JSON_TEXT || bytes.length > LONGEST_NUMBER) throw noNumber(key)
  const number: unknown = JSON.parse(Buffer.from(bytes).toString())
  if (typeof number !== 'number') throw noNumber(key)
  return number
}

/** In bytes of its text. */
const LONGEST_NUMBER = 1024

function noNumber(key: string): InvalidArgValueError {
  return new InvalidArgValueError(`the value of ${key} is not a number`)
}
