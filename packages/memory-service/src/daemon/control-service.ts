/** The daemon's control: the extension of the binder of each service that it publishes. */
import { Binder, type ImplementationOf, SecurityError } from '@memsvc/shared'
import { IControl, ownHoldings, readsCallerSynchronously, withoutStack } from '@memsvc/shared/internal'

import { checkLogSettings, type LogFormat, type LogSettings } from '../log/log-settings.ts'

export interface ControlOptions {
  /** Whether this is the daemon's own user, or root. */
  readonly isOwner: (uid: number) => boolean
  /** @param isOwner whether all of it may be seen, or only what concerns everybody */
  readonly status: (isOwner: boolean) => object
  readonly reload: () => Promise<void>
  readonly metrics: () => string
  readonly log: LogSettings
  /** Told once the answer to the caller is on its way. */
  readonly onStop: (uid: number) => void
}

export class ControlService extends IControl.Stub implements ImplementationOf<typeof IControl> {
  readonly #options: ControlOptions

  constructor(options: ControlOptions) {
    super()
    this.#options = options
  }

  override get [readsCallerSynchronously](): boolean {
    return true
  }

  status(): string {
    return JSON.stringify(this.#options.status(this.#options.isOwner(Binder.getCallingUid())))
  }

  stop(): void {
    const uid = this.#checkOwner('stop')
    setImmediate(() => this.#options.onStop(uid))
  }

  reload(): Promise<void> {
    this.#checkOwner('reload')
    return this.#options.reload()
  }

  holdings(): string {
    this.#checkOwner('look into')
    return JSON.stringify(ownHoldings())
  }

  metrics(): string {
    this.#checkOwner('ask the metrics of')
    return this.#options.metrics()
  }

  log(level: string | null, format: string | null): string {
    this.#checkOwner('change the log of')
    const { log } = this.#options
    checkLogSettings(level, format)
    if (level !== null) log.level = level
    if (format !== null) log.format = format as LogFormat
    return JSON.stringify({ level: log.level, format: log.format })
  }

  #checkOwner(action: string): number {
    const uid = Binder.getCallingUid()
    if (!this.#options.isOwner(uid))
      throw withoutStack(() => new SecurityError(`uid ${uid} may not ${action} this daemon`))
    return uid
  }
}
