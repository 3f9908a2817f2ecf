/** What the log says about a copy: each change of its state with the reason, and the progress of a long full read. */
import type { Logger } from 'pino'
import type { ReplicationStatus } from './load.ts'

/** Between two lines of a full read. */
const SHOWN_KEYS = 5000

export class CopyLog {
  readonly #logger: Logger
  #state: ReplicationStatus['state'] = 'syncing'
  /** Of this state it was told why. Further reasons are in the status: a cluster that is away has one for each try. */
  #isExplained = false
  #shownKeys = 0

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** The copy is in that state, or there is another reason for it. */
  state(state: ReplicationStatus['state'], why: string | null): void {
    if (state === this.#state && (why === null || this.#isExplained)) return
    this.#state = state
    this.#isExplained = why !== null
    this.#logger[state === 'refused' ? 'error' : 'info']({ state, reason: why ?? undefined }, 'the copy')
  }

  /** A full read has had so many keys so far. */
  progress(keys: number): void {
    if (keys < this.#shownKeys) this.#shownKeys = 0 // another one
    if (keys - this.#shownKeys < SHOWN_KEYS) return
    this.#shownKeys = keys
    this.#logger.info({ keys }, 'reading')
  }
}
