/**
 * A value of the copy in the registry. It is published while the key has a value. If the value is gone, its clients are
 * disconnected.
 */
import type { Binder, ServiceManager } from '@memsvc/shared'
import { channelsWithin } from '@memsvc/shared/internal'
import type { Logger } from 'pino'
import type { CopiedValue } from './load.ts'

type Channels = ReturnType<typeof channelsWithin>

export interface OfferedNameParts {
  /**
   * Publishes it as soon as a registry is running, on a connection of its own. The name is withdrawn when that closes.
   */
  readonly offer: (name: string, binder: Binder, channels: Channels) => Promise<ServiceManager>
  readonly logger: Logger
}

export class OfferedName {
  readonly #value: CopiedValue
  readonly #parts: OfferedNameParts
  readonly #channels = channelsWithin({})
  #manager: ServiceManager | null = null
  #isBusy = false
  #isClosed = false

  constructor(value: CopiedValue, parts: OfferedNameParts) {
    this.#value = value
    this.#parts = parts
    value.onPresence = () => void this.#settle()
    void this.#settle()
  }

  close(): void {
    this.#isClosed = true
    this.#value.onPresence = null
    this.#withdraw()
  }

  /** Until it is as it should be: what changes meanwhile is seen by the next round. */
  async #settle(): Promise<void> {
    if (this.#isBusy) return
    this.#isBusy = true
    try {
      while (!this.#isClosed && this.#value.isThere !== (this.#manager !== null)) {
        if (this.#value.isThere) await this.#publish()
        else this.#withdraw()
      }
    } catch (error) {
      if (!this.#isClosed) this.#parts.logger.error({ name: this.#value.name, error }, 'a value cannot be published')
    } finally {
      this.#isBusy = false
    }
  }

  async #publish(): Promise<void> {
    const { name, binder } = this.#value
    const manager = await this.#parts.offer(name, binder, this.#channels)
    if (this.#isClosed) return manager.close()
    this.#manager = manager
    this.#parts.logger.info({ name }, 'a value is published')
  }

  #withdraw(): void {
    this.#manager?.close()
    this.#manager = null
    this.#channels.close()
  }
}
