/**
 * What stores begin with, and who keeps them: systemd over the ends of the daemon, the state folder over those of the machine. What
 * systemd has is the newer of the two, because it is the memory itself.
 */
import type { KeptStore, RecordSource, StoreBeginning, StoreKeeper } from '@memsvc/shared/internal'
import type { Logger } from 'pino'
import type { StateFolder } from '../state/state-folder.ts'
import { StateKeeper, type StateSync } from '../state/state-keeper.ts'
import { StateRecords } from '../state/state-records.ts'
import { AreaKeeper } from '../systemd/area-keeper.ts'
import type { KeptAreas } from '../systemd/kept-areas.ts'

export interface KeepingOptions {
  /** Closed with it, as the folder is. */
  readonly areas: KeptAreas
  /** Null: without `--state`. */
  readonly folder: StateFolder | null
  readonly sync: StateSync
  readonly logger: Logger
  /** Called now and then while a state is read, which can take long. */
  readonly onProgress: () => void
}

export class Keeping {
  readonly #options: KeepingOptions
  readonly #keepers = new Map<string, StateKeeper>()

  constructor(options: KeepingOptions) {
    this.#options = options
  }

  /**
   * Makes a store with its earlier contents.
   * @param make gets these contents, which are valid until it returns
   */
  begin<T>(store: string, make: (beginning: StoreBeginning) => T): T {
    const { areas, logger } = this.#options
    const kept = areas.take(store)
    try {
      const disk = this.#readDisk(store)
      const keepers: StoreKeeper[] = areas.isKeeping ? [new AreaKeeper(areas, store, logger)] : []
      if (disk !== null) keepers.push(this.#stateKeeper(store, disk, kept === null))
      const source = kept ?? (disk === null ? null : { records: [disk], notes: disk.notes })
      const records = [...(source?.records ?? []), ...(kept !== null && disk !== null ? [onlyVersions(disk)] : [])]
      return make({ records, notes: source?.notes ?? [], keeper: together(keepers) })
    } finally {
      kept?.close()
    }
  }

  /** For a store in the state folder: see StateKeeper. null if it is not kept there. */
  stateOf(store: string): { pending: number; failing: boolean } | null {
    return this.#keepers.get(store)?.status ?? null
  }

  /** The store was removed from the configuration, and is closed. Its contents stay on disk. */
  forget(store: string): void {
    this.#keepers.delete(store)
    this.#options.areas.forget(store)
  }

  close(): void {
    this.#options.areas.close()
    this.#options.folder?.close()
  }

  #readDisk(store: string): StateRecords | null {
    const { folder, logger, onProgress } = this.#options
    if (folder === null) return null
    return new StateRecords({ store, folder, lastVersions: folder.versionsOf(store), logger, onProgress })
  }

  #stateKeeper(store: string, disk: StateRecords, hasBegunWithDisk: boolean): StateKeeper {
    const { folder, sync, logger } = this.#options
    const keeper = new StateKeeper({
      folder: folder as StateFolder,
      ...{ store, sync, hasBegunWithDisk, left: disk.left, logger },
    })
    this.#keepers.set(store, keeper)
    return keeper
  }
}

/** No version is used twice. */
function onlyVersions({ lastVersions }: RecordSource): RecordSource {
  return { lastVersions, records: () => [] }
}

function together(keepers: readonly StoreKeeper[]): StoreKeeper | null {
  if (keepers.length < 2) return keepers[0] ?? null
  return {
    begin: (store: KeptStore) => {
      for (const keeper of keepers) keeper.begin(store)
    },
    changing: (keys, note) => {
      for (const keeper of keepers) keeper.changing?.(keys, note)
    },
    changed: (keys) => {
      for (const keeper of keepers) keeper.changed(keys)
    },
    moved: () => {
      for (const keeper of keepers) keeper.moved()
    },
    kept: () => {
      const waits = keepers.flatMap((keeper) => keeper.kept() ?? [])
      return waits.length === 0 ? null : Promise.all(waits).then(() => undefined)
    },
    end: () => {
      for (const keeper of keepers) keeper.end()
    },
  }
}
