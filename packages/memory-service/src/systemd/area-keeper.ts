/** Lets systemd keep the areas of a store, and the facts that are not in the areas: see kept-areas.ts. */
import type { KeptStore, KeyNote, StoreKeeper } from '@memsvc/shared/internal'
import { AreaWriter, areaTypes } from 'memfd-native'
import type { Logger } from 'pino'
import { encodeNote } from './area-note.ts'
import type { KeptAreas } from './kept-areas.ts'

/** For each key a place, the longest key, and a note; twice, since the old note is there until the new one is. */
const BYTES_PER_KEY = 64 + 2 * 64 + 640
const MORE_BYTES = 1024 * 1024
const RETIRED_AT_ONCE = 256

export class AreaKeeper implements StoreKeeper {
  readonly #areas: KeptAreas
  readonly #name: string
  readonly #logger: Logger
  #store: KeptStore | null = null
  #notes: AreaWriter | null = null
  /** Keys that have a note. */
  readonly #noted = new Set<string>()
  /** Notes of changes that are under way: an area may move in the middle of one. */
  readonly #pending = new Map<string, Buffer>()

  constructor(areas: KeptAreas, name: string, logger: Logger) {
    this.#areas = areas
    this.#name = name
    this.#logger = logger
  }

  begin(store: KeptStore): void {
    this.#store = store
    this.moved()
  }

  /** Before the values are stored: if the process is killed in between, the notes are already there. */
  changing(keys: readonly string[], after: KeyNote): void {
    const store = this.#store
    if (store === null) return
    for (const key of keys) {
      if (isEmpty(after) && !this.#noted.has(key)) continue
      const note = encodeNote({ version: store.versionOf(key), before: store.noteOf(key), after })
      this.#pending.set(key, note)
      this.#put(key, note)
    }
  }

  changed(keys: readonly string[]): void {
    const store = this.#store
    if (store === null) return
    for (const key of keys) {
      this.#pending.delete(key)
      if (isEmpty(store.noteOf(key)) && this.#noted.delete(key)) this.#notes?.delete(key)
    }
  }

  /** Larger areas may have more keys, so the notes need a new area too. */
  moved(): void {
    const store = this.#store
    if (store === null) return
    this.#notes?.close()
    const maxKeys = store.maxKeys + RETIRED_AT_ONCE
    this.#notes = AreaWriter.create({ capacity: maxKeys * BYTES_PER_KEY + MORE_BYTES, maxKeys, name: 'memsvc-notes' })
    this.#noted.clear()
    for (const key of store.notedKeys) {
      const note = store.noteOf(key)
      this.#put(key, encodeNote({ version: 0n, before: note, after: note }))
    }
    for (const [key, note] of this.#pending) this.#put(key, note)
    const shared = store.shareAreas()
    try {
      shared.push(this.#notes.share())
      this.#areas.keep(this.#name, shared)
    } finally {
      for (const fd of shared) fd.close()
    }
  }

  kept(): null {
    return null
  }

  end(): void {
    this.#notes?.close()
    this.#notes = null
    this.#store = null
  }

  #put(key: string, note: Buffer): void {
    const put = () => (this.#notes?.put(key, areaTypes.BYTES, note) ?? 0n) >= 0
    this.#noted.add(key)
    if (put()) return
    this.#notes?.retire(RETIRED_AT_ONCE)
    if (!put())
      this.#logger.warn(
        { store: this.#name },
        'the expiry time and owner of a key could not be kept: a restart loses them',
      )
  }
}

function isEmpty({ endsAt, payer }: KeyNote): boolean {
  return endsAt === null && payer === null
}
