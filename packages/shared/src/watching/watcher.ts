/** The callback that a loop over changes registers: it is notified that something has changed, and reads it itself. */
import { readsCallerSynchronously } from '../binder/calling-identity.ts'
import type { ImplementationOf } from '../binder/interface.ts'
import { IWatcher } from '../interfaces/watch.ts'

export class Watcher extends IWatcher.Stub implements ImplementationOf<typeof IWatcher> {
  readonly #onNotice: () => void

  constructor(onNotice: () => void) {
    super()
    this.#onNotice = onNotice
  }

  override get [readsCallerSynchronously](): boolean {
    return true
  }

  onChange(): void {
    this.#onNotice()
  }
}
