/** What a store had when it was written to disk the last time. */
import type { KeyNote, RecordSource, StoredRecord } from '@memsvc/shared/internal'
import type { Logger } from 'pino'
import { decodeRecord } from './record.ts'
import type { StateFolder } from './state-folder.ts'

export interface StateRecordsOptions {
  readonly store: string
  readonly folder: StateFolder
  readonly lastVersions: readonly bigint[]
  readonly logger: Logger
  /** Called now and then while it is read. */
  readonly onProgress: () => void
}

/** Between two lines about the progress, in milliseconds. */
const PROGRESS_MS = 1000
/** Records between two looks at the clock. */
const LOOK_EVERY = 1024

export class StateRecords implements RecordSource {
  readonly lastVersions: readonly bigint[]
  /** Of keys that were read and have something to note. */
  readonly notes: [key: string, note: KeyNote][] = []
  /** Keys that are not in the store, and are to go from the disk: their time was over, or they are damaged. */
  readonly left: string[] = []
  readonly #options: StateRecordsOptions

  constructor(options: StateRecordsOptions) {
    this.#options = options
    this.lastVersions = options.lastVersions
  }

  get count(): number {
    const { folder, store } = this.#options
    return folder.count(store)
  }

  *records(): Iterable<StoredRecord> {
    const { store, logger, folder, onProgress } = this.#options
    const total = this.count
    const [begin, now] = [performance.now(), Date.now()]
    let [count, told] = [0, begin]
    try {
      for (const { key, value } of folder.read(store, decodeRecord)) {
        count += 1
        if (count % LOOK_EVERY === 0 && performance.now() - told > PROGRESS_MS) {
          told = performance.now()
          logger.info({ store, keys: count, of: total }, 'reading the state')
          onProgress()
        }
        if (value === null) {
          logger.error({ store, key }, 'a value on disk is damaged: it is left out')
          this.left.push(key)
          continue
        }
        const { type, version, bytes, endsAt, payer } = value
        if (endsAt !== null && endsAt <= now) {
          this.left.push(key)
          continue
        }
        if (endsAt !== null || payer !== null) this.notes.push([key, { endsAt, payer }])
        yield { key, type, version, bytes }
      }
    } catch (error) {
      throw folder.errorOf(error)
    }
    const left = this.left.length
    logger.info({ store, keys: count - left, left, ms: Math.round(performance.now() - begin) }, 'the state was read')
  }
}
