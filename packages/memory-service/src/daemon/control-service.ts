/** The daemon's control: the extension of the binder of each service that it publishes. */
import { Binder, type ImplementationOf, SecurityError } from '@memsvc/shared'
import { IControl, readsCallerSynchronously, withoutStack } from '@memsvc/shared/internal'

export interface ControlOptions {
  /** Whether this is the daemon's own user, or root. */
  readonly isOwner: (uid: number) => boolean
  /** @param isOwner whether all of it may be seen, or only what concerns everybody */
  readonly status: (isOwner: boolean) => object
  readonly reload: () => Promise<void>
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

  #checkOwner(action: string): number {
    const uid = Binder.getCallingUid()
    if (!this.#options.isOwner(uid))
      throw withoutStack(() => new SecurityError(`uid ${uid} may not ${action} this daemon`))
    return uid
  }
}
