/** The connection to the registry. It waits until the registry runs; after that the library reconnects by itself. */
import { setTimeout as delay } from 'node:timers/promises'
import { errorCode, ServiceManager } from '@memsvc/shared'
import { errorText, type RegistryChoice } from '@memsvc/shared/internal'

const RETRY_MS = 200

export class Connection {
  readonly #choice: RegistryChoice
  readonly #end = new AbortController()
  readonly #manager: Promise<ServiceManager>
  readonly #onTrouble: (trouble: string | null) => void
  #trouble: string | null = null

  /** @param onTrouble told when {@link trouble} changes */
  constructor(choice: RegistryChoice, onTrouble: (trouble: string | null) => void) {
    this.#choice = choice
    this.#onTrouble = onTrouble
    this.#manager = this.#connect()
    this.#manager.catch(() => undefined) // who waits for it is told
  }

  /** Fires when the window closes. */
  get signal(): AbortSignal {
    return this.#end.signal
  }

  /** Why nobody could be reached so far; null: somebody was. */
  get trouble(): string | null {
    return this.#trouble
  }

  /** Once there is one. @throws AbortError the window has closed */
  manager(): Promise<ServiceManager> {
    return this.#manager
  }

  close(): void {
    this.#end.abort()
    void this.#manager.then((manager) => manager.close()).catch(() => undefined)
  }

  #say(trouble: string | null): void {
    if (trouble === this.#trouble) return
    this.#trouble = trouble
    this.#onTrouble(trouble)
  }

  async #connect(): Promise<ServiceManager> {
    for (;;) {
      try {
        const manager = await ServiceManager.connect(this.#choice)
        this.#say(null)
        return manager
      } catch (error) {
        if (errorCode(error) === 'ERR_INVALID_ARG_VALUE') throw error
        this.#say(errorText(error))
      }
      await delay(RETRY_MS, undefined, { signal: this.#end.signal })
    }
  }
}
