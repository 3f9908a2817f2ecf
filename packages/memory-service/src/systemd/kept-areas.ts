/**
 * Keeps stores across a restart and a crash, as value-store.ts does for the value: systemd keeps a descriptor of each
 * area, and gives it to the next daemon, which copies the contents to new areas. For each store one more area, its
 * **notes**, has the expiry time of each key and the user who is charged for it. No other process ever gets it.
 *
 * An area is kept as NAME+NUMBER.COUNT@GENERATION, the notes as the last one of them. A generation is whole if all of
 * its COUNT are there; the highest whole one is what the store had.
 */
import { ParcelFileDescriptor } from '@memsvc/shared'
import { AreaRecords, type KeyNote, type RecordSource, type StoredRecord } from '@memsvc/shared/internal'
import { AreaReader, type OwnedFd } from 'memfd-native'
import type { Logger } from 'pino'
import { decodeNote } from './area-note.ts'
import type { NamedFd } from './inherited-descriptors.ts'
import type { NotifySocket } from './notify-socket.ts'

interface KeptArea {
  /** In the store of systemd. */
  readonly name: string
  readonly store: string
  readonly number: number
  readonly count: number
  readonly generation: number
  readonly fd: OwnedFd
}

/** What a store had in its last life. Good until `close()`. */
export interface KeptRecords {
  readonly records: RecordSource[]
  readonly notes: Map<string, KeyNote>
  close(): void
}

const KEPT_NAME = /^([^+@]+)\+(\d{1,4})\.(\d{1,4})@(\d{1,15})$/

export class KeptAreas {
  readonly #socket: NotifySocket | null
  readonly #logger: Logger
  #inherited: readonly KeptArea[]
  /** Names that systemd has now, by store. */
  readonly #kept = new Map<string, { generation: number; names: string[] }>()

  /**
   * @param socket of systemd; null if there is none
   * @param inherited descriptors that this object owns from now on; those that are not areas stay the caller's
   */
  constructor(socket: NotifySocket | null, inherited: readonly NamedFd[], logger: Logger) {
    this.#socket = socket
    this.#logger = logger
    this.#inherited = inherited.flatMap(parse)
    for (const { store, name, generation } of this.#inherited) {
      const known = this.#kept.get(store) ?? { generation: 0, names: [] }
      this.#kept.set(store, { generation: Math.max(known.generation, generation), names: [...known.names, name] })
    }
  }

  static isOne({ name }: NamedFd): boolean {
    return KEPT_NAME.test(name)
  }

  /** Whether systemd keeps what `keep` gives it. */
  get isKeeping(): boolean {
    return this.#socket !== null
  }

  /** What the store had; null: nothing is left. */
  take(store: string): KeptRecords | null {
    const inherited = this.#inherited.filter((area) => area.store === store)
    const areas = newestWhole(inherited)
    if (areas.length === 0) {
      const names = inherited.map(({ name }) => name)
      if (names.length > 0) this.#logger.error({ store, names }, 'systemd kept only some areas: their values are lost')
      return null
    }
    const readers: AreaReader[] = []
    const close = () => {
      for (const reader of readers) reader.close()
    }
    try {
      for (const { fd } of areas) readers.push(AreaReader.attach(fd))
      const notes = readNotes(readers)
      return { records: readers.slice(0, -1).map((reader) => new Unexpired(reader, notes)), notes, close }
    } catch (error) {
      close()
      this.#logger.error({ store, err: error }, 'the areas that systemd kept cannot be read: their values are lost')
      return null
    }
  }

  /**
   * Keeps these areas from now on, and releases the earlier ones. If this fails, a crash loses the values, but nothing
   * else is lost.
   */
  keep(store: string, areas: readonly OwnedFd[]): void {
    if (this.#socket === null) return
    const before = this.#kept.get(store) ?? { generation: 0, names: [] }
    const generation = before.generation + 1
    const names = areas.map((_, number) => `${store}+${number}.${areas.length}@${generation}`)
    try {
      for (const [i, area] of areas.entries()) {
        using fd = ParcelFileDescriptor.fromFd(area.fd)
        this.#socket.deliver(`FDSTORE=1\nFDNAME=${names[i]}\nFDPOLL=0`, fd.getFileDescriptor())
      }
      for (const name of before.names) this.#socket.deliver(`FDSTOREREMOVE=1\nFDNAME=${name}`)
      this.#kept.set(store, { generation, names })
    } catch (error) {
      this.#kept.set(store, { generation, names: [...before.names, ...names] })
      this.#logger.warn({ store, err: error }, 'systemd cannot keep the areas: the values will not survive a restart')
    }
  }

  /** The store is no longer served, so systemd releases its areas. */
  forget(store: string): void {
    const { names } = this.#kept.get(store) ?? { names: [] }
    this.#kept.delete(store)
    for (const area of this.#inherited) if (area.store === store) area.fd.close()
    this.#inherited = this.#inherited.filter((area) => area.store !== store)
    if (this.#socket === null) return
    try {
      for (const name of names) this.#socket.deliver(`FDSTOREREMOVE=1\nFDNAME=${name}`)
    } catch (error) {
      this.#logger.warn({ store, err: error }, 'systemd still keeps the areas of a store that is no longer served')
    }
  }

  /** Closes the descriptors that came back. systemd keeps its own. Idempotent. */
  close(): void {
    for (const { fd } of this.#inherited) fd.close()
    this.#inherited = []
  }
}

/** An area without the keys that have expired meanwhile. */
class Unexpired implements RecordSource {
  readonly #records: AreaRecords
  readonly #notes: ReadonlyMap<string, KeyNote>

  constructor(reader: AreaReader, notes: ReadonlyMap<string, KeyNote>) {
    this.#records = new AreaRecords(reader)
    this.#notes = notes
  }

  get lastVersions(): readonly bigint[] {
    return this.#records.lastVersions
  }

  *records(): Iterable<StoredRecord> {
    const now = Date.now()
    for (const record of this.#records.records()) {
      const endsAt = this.#notes.get(record.key)?.endsAt ?? null
      if (endsAt === null || endsAt > now) yield record
    }
  }
}

/** Of each key, what holds for the version that it has. */
function readNotes(readers: readonly AreaReader[]): Map<string, KeyNote> {
  const notes = new Map<string, KeyNote>()
  const values = readers.slice(0, -1)
  for (const { key, bytes } of new AreaRecords(readers.at(-1) as AreaReader).records()) {
    const note = decodeNote(bytes, versionIn(values, key))
    if (note !== null) notes.set(key, note)
  }
  return notes
}

/** 0n: none of them has the key. */
function versionIn(readers: readonly AreaReader[], name: string): bigint {
  for (const reader of readers) {
    const key = reader.key(name)
    if (key.read(null) >= 0) return key.version
  }
  return 0n
}

function newestWhole(areas: readonly KeptArea[]): KeptArea[] {
  const generations = [...new Set(areas.map(({ generation }) => generation))].sort((a, b) => b - a)
  for (const generation of generations) {
    const some = areas.filter((area) => area.generation === generation).sort((a, b) => a.number - b.number)
    const count = some[0]?.count ?? 0
    // The notes are one of them.
    if (count > 1 && some.length === count && some.every(({ number }, i) => number === i)) return some
  }
  return []
}

function parse({ name, fd }: NamedFd): KeptArea[] {
  const [, store, number, count, generation] = KEPT_NAME.exec(name) ?? []
  if (store === undefined) return []
  return [{ name, store, number: Number(number), count: Number(count), generation: Number(generation), fd }]
}
