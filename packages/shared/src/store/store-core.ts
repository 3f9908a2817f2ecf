/**
 * A store as its owner sees it: the areas, the charges and the expiry times. Every change goes through here. Who may
 * request a change is decided above.
 */

import { ConflictError, InvalidArgValueError, LimitError, UnsupportedOperationError } from '../util/errors.ts'
import { limitError } from '../util/limit.ts'
import { type AreaPlans, AreaSet } from './area-set.ts'
import type { AreaSize } from './area-size.ts'
import { type CoreEdit, chargeOf, keysOf, lastOfEachKey, putOf } from './core-edit.ts'
import type { Holdings } from './holdings.ts'
import { type Encoded, encode } from './json.ts'
import type { StoreBeginning } from './keeper.ts'
import { KeyNotes } from './key-notes.ts'
import { rowOf, STORE_LIMITS, type StoreLimits } from './limits.ts'
import type { OwnedArea } from './owned-area.ts'
import { Payments, type PutOptions } from './payments.ts'
import type { ReplicaWords } from './replica-words.ts'
import { checkKey } from './store-key.ts'
import { StoreLedger } from './store-ledger.ts'
import { StoreReader } from './store-reader.ts'
import { storedNumber } from './stored-number.ts'
import type { KeyNote } from './stored-record.ts'

/** Nobody pays, and it does not end. */
const UNPAID: PutOptions = Object.freeze({ payer: null })

export interface CoreOptions {
  /** Of each area its patterns. */
  readonly areas: readonly (readonly string[])[]
  readonly size: AreaSize
  readonly maxValueBytes: number
  readonly limits: StoreLimits
  readonly beginning: StoreBeginning
  /** Whether anybody listens to onCommit. */
  readonly isHeard: () => boolean
  /** Told after each transaction, of one key only if that is heard. */
  readonly onCommit: (keys: readonly string[], version: bigint) => void
  /** Told when values are in another area: see OwnedArea. */
  readonly onMoved: () => void
}

export class StoreCore {
  readonly reader = new StoreReader()
  readonly ledger: StoreLedger
  /** Of one value, in bytes. */
  maxValueBytes: number
  /** How many keys were written. */
  writes = 0
  readonly #areas: AreaSet
  #limits: StoreLimits
  readonly #options: CoreOptions
  readonly #notes: KeyNotes
  readonly #payments: Payments
  /** Whether the keeper must be told before each change. */
  readonly #isAnnouncing: boolean

  /** @throws errors of memfd_create(2), fallocate(2), mmap(2) */
  constructor(options: CoreOptions) {
    const { areas, size, maxValueBytes, limits, beginning } = options
    this.#options = options
    this.#isAnnouncing = beginning.keeper?.changing !== undefined
    this.#limits = limits
    this.maxValueBytes = maxValueBytes
    this.ledger = new StoreLedger(limits)
    this.#notes = new KeyNotes(this.ledger, this.reader, (key) => this.delete(key, undefined))
    this.#payments = new Payments(this.holdings, beginning.keeper ?? null)
    this.#areas = new AreaSet({
      plans: areas.map((patterns) => ({ patterns, size })),
      records: beginning.records ?? [],
      read: (key) => this.reader.recordOf(key),
      onMoved: () => this.#onMoved(),
    })
    this.#show()
    this.#notes.restore(beginning.notes ?? [])
  }

  get areas(): readonly OwnedArea[] {
    return this.#areas.areas
  }

  /** The sums over all areas. */
  get stats(): { keys: number; usedBytes: number; valueBytes: number; allocatedBytes: number } {
    const areas = this.areas.map(({ stats }) => stats)
    const sum = (what: 'keys' | 'usedBytes' | 'valueBytes' | 'allocatedBytes') =>
      areas.reduce((total, stats) => total + stats[what], 0)
    return {
      keys: sum('keys'),
      usedBytes: sum('usedBytes'),
      valueBytes: sum('valueBytes'),
      allocatedBytes: sum('allocatedBytes'),
    }
  }

  /** Who pays for which value. */
  get holdings(): Holdings {
    return this.#notes.holdings
  }

  get limits(): StoreLimits {
    return this.#limits
  }

  /** What is there already stays. */
  set limits(limits: StoreLimits) {
    this.#limits = limits
    this.ledger.setLimits(limits)
  }

  /**
   * For a checked key, without conditions and without a charge: the usual case of an owner.
   * @throws as set
   */
  put(key: string, value: Encoded): bigint {
    if (this.#isAnnouncing) return this.set({ key, value }, UNPAID)
    const area = this.#areaOf(key)
    this.checkValue(value.bytes.length)
    const version = area.put(key, value.type, value.bytes)
    this.holdings.release(key)
    this.#wasSet(key, version, undefined)
    return version
  }

  /**
   * For a checked key.
   * @throws ERR_CONFLICT; ERR_LIMIT; ERR_INVALID_ARG_VALUE if no area has a pattern for it
   */
  set(edit: CoreEdit & { value: Encoded }, put: PutOptions): bigint {
    const { key, value, ifVersion } = edit
    const area = this.#areaOf(key)
    this.checkValue(value.bytes.length)
    this.checkVersion(key, ifVersion)
    const charges = [{ key, bytes: value.bytes.length }]
    const version = this.#payments.commit(put, charges, () => area.put(key, value.type, value.bytes))
    this.#wasSet(key, version, put.ttlMs)
    return version
  }

  /**
   * Stores the value that was written into a reserved block.
   * @throws as set; then the caller still owns the block
   */
  setBlock(
    key: string,
    block: number,
    put: PutOptions & { bytes: number; type: number; ifVersion: bigint | undefined },
  ): bigint {
    this.checkVersion(key, put.ifVersion)
    const charges = [{ key, bytes: put.bytes }]
    const puts = [{ key, type: put.type, bytes: null, block }]
    const version = this.#payments.commit(put, charges, () => this.areaOf(key).commit(puts))
    this.#wasSet(key, version, put.ttlMs)
    return version
  }

  /** All or none. @returns 0n: nothing has changed. @throws ERR_UNSUPPORTED_OPERATION several areas; as set */
  update(edits: readonly CoreEdit[], payer: number | null): bigint {
    const row = rowOf('edits', this.limits)
    if (edits.length > row.limit) throw limitError(row, edits.length)
    const area = this.#areaOfAll(edits)
    if (area === undefined) return 0n
    for (const { key, value, ifVersion } of edits) {
      if (value !== null) this.checkValue(value.bytes.length)
      this.checkVersion(key, ifVersion)
    }
    const last = lastOfEachKey(edits)
    const version = this.#payments.commit({ payer }, last.map(chargeOf), () => area.commit(last.map(putOf)))
    if (version === 0n) return version
    for (const { key } of last) this.#notes.expireAfter(key, undefined)
    this.#committed(keysOf(last), version)
    return version
  }

  /**
   * Applies changes from the origin of a copy, without the limits of clients: all or none, in one area.
   * @throws ERR_LIMIT if there is no room
   */
  apply(edits: readonly CoreEdit[]): bigint {
    const area = this.#areaOfAll(edits)
    if (area === undefined) return 0n
    const last = lastOfEachKey(edits)
    const version = area.commit(last.map(putOf))
    if (version !== 0n) this.#committed(keysOf(last), version)
    return version
  }

  /** What readers are told of a copy. */
  setReplica(words: ReplicaWords): void {
    this.#areas.setReplica(words)
  }

  /** @returns whether there was a value. @throws ERR_CONFLICT; as update */
  delete(key: string, ifVersion: bigint | undefined): boolean {
    return this.update([{ key, value: null, ifVersion }], null) !== 0n
  }

  /**
   * @returns the new value
   * @throws ERR_INVALID_ARG_VALUE if the value is not a number, or the sum is too large; otherwise as set
   */
  increment(key: string, by: number, { payer, ttlMs }: PutOptions): number {
    checkKey(key)
    const before = storedNumber(this.reader, key)
    const sum = (before ?? 0) + by
    if (!Number.isFinite(sum)) throw new InvalidArgValueError(`the sum for ${key} is too large for a number`)
    this.set({ key, value: encode(sum) }, { payer, ttlMs: before === undefined ? ttlMs : this.#notes.leftOf(key) })
    return sum
  }

  /** @throws ERR_INVALID_ARG_VALUE if no area has a pattern for it, or if it is not a key */
  areaOf(key: string): OwnedArea {
    checkKey(key)
    return this.#areaOf(key)
  }

  #areaOf(key: string): OwnedArea {
    const area = this.areas[this.reader.numberOf(key)]
    if (area === undefined) throw new InvalidArgValueError(`no area of this store has a pattern for the key ${key}`)
    return area
  }

  /** @throws ERR_CONFLICT */
  checkVersion(key: string, ifVersion: bigint | undefined): void {
    if (ifVersion === undefined) return
    const version = this.reader.versionOf(key)
    if (version !== ifVersion) throw new ConflictError(key, version)
  }

  /** @throws ERR_LIMIT a value of so many bytes */
  checkValue(bytes: number): void {
    const { maxValueBytes } = this
    if (bytes > maxValueBytes) throw new LimitError(STORE_LIMITS.valueBytes.name, maxValueBytes, bytes)
  }

  /** The user who is charged for the value of the key, and its expiry time. */
  noteOf(key: string): KeyNote {
    return this.#notes.of(key)
  }

  /** Keys for which somebody pays, or that end. */
  get notedKeys(): Iterable<string> {
    return this.#notes.keys
  }

  /** @param plans of each new area its patterns and size, or the area that stays. @throws as AreaSet */
  rearrange(plans: AreaPlans): void {
    this.#areas.rearrange(plans)
  }

  /** @throws as AreaSet */
  rearrangeInTurns(plan: () => AreaPlans, change: (rearrange: () => void) => void): Promise<void> {
    return this.#areas.rearrangeInTurns(plan, change)
  }

  close(): void {
    this.#notes.close()
    this.#areas.close()
    this.reader.close()
  }

  #wasSet(key: string, version: bigint, ttlMs: number | undefined): void {
    this.#notes.expireAfter(key, ttlMs)
    if (this.#areas.isCopying || this.#options.isHeard()) this.#committed([key], version)
    else this.writes += 1
  }

  #committed(keys: readonly string[], version: bigint): void {
    this.writes += keys.length
    this.#areas.changed(keys)
    this.#options.onCommit(keys, version)
  }

  #areaOfAll(edits: readonly CoreEdit[]): OwnedArea | undefined {
    const areas = new Set(edits.map(({ key }) => this.areaOf(key)))
    if (areas.size > 1)
      throw new UnsupportedOperationError('these keys are in several areas: one transaction can change only one area')
    const [area] = areas
    return area
  }

  #onMoved(): void {
    this.#show()
    this.#options.onMoved()
  }

  /** Has the own reader read where the values are now. */
  #show(): void {
    this.reader.replace(this.areas.map(({ patterns, reader }) => ({ patterns, reader })))
  }
}
