/**
 * Changes of a copy that clients request. They are checked here as a store checks its own, and then sent to the origin.
 */
import type { Caller } from '../binder/calling-identity.ts'
import { ConflictError, UnsupportedOperationError } from '../util/errors.ts'
import { numbered } from '../util/service-errors.ts'
import type { CoreEdit } from './core-edit.ts'
import type { StoreOrigin } from './origin.ts'
import type { StoreCore } from './store-core.ts'
import type { OriginRevision, Outcome } from './store-interface.ts'

/** Who asks, and for how long it shall be. */
export interface OriginRequest {
  readonly caller: Caller
  readonly ttlMs: number | undefined
}

export class OriginCalls {
  readonly #origin: StoreOrigin
  readonly #core: StoreCore

  constructor(origin: StoreOrigin, core: StoreCore) {
    this.#origin = origin
    this.#core = core
  }

  /**
   * @param edits their bytes are copied
   * @throws ERR_UNSUPPORTED_OPERATION for a value with a ttl; otherwise as StoreOrigin.update
   */
  update(edits: readonly CoreEdit[], { caller, ttlMs }: OriginRequest): Promise<Outcome> {
    checkNoTtl(ttlMs)
    for (const { key, value } of edits) {
      this.#core.areaOf(key)
      if (value !== null) this.#core.checkValue(value.bytes.length)
    }
    return this.#outcomeOf(edits, this.#origin.update(edits.map(copied), caller))
  }

  /** @throws as update */
  async increment(key: string, by: number, { caller, ttlMs }: OriginRequest): Promise<number> {
    checkNoTtl(ttlMs)
    try {
      return await this.#origin.increment(key, by, caller)
    } catch (error) {
      throw numbered(error)
    }
  }

  /** Of one moment. */
  revisionOf(key: string): OriginRevision {
    return { version: this.#core.reader.versionOf(key), revision: this.#origin.revisionOf(key) }
  }

  async #outcomeOf(edits: readonly CoreEdit[], change: Promise<bigint>): Promise<Outcome> {
    try {
      return { isConflict: false, version: await change, edit: 0 }
    } catch (error) {
      if (!(error instanceof ConflictError)) throw numbered(error)
      const edit = edits.findIndex(({ key }) => key === error.key)
      return { isConflict: true, version: error.version, edit: Math.max(edit, 0), revision: error.revision ?? 0n }
    }
  }
}

/** The bytes are the parcel's. */
function copied({ key, value, ifVersion }: CoreEdit): CoreEdit {
  return { key, value: value === null ? null : { type: value.type, bytes: value.bytes.slice() }, ifVersion }
}

/** Machines have no clock in common. */
function checkNoTtl(ttlMs: number | undefined): void {
  if (ttlMs !== undefined) throw new UnsupportedOperationError('a value of a cluster cannot have a ttl')
}
