/** Serves `memsvc.IWatch`: clients register callbacks here, and are notified of changes until they remove them. */
import { BinderProxy } from '../binder/binder-proxy.ts'
import type { ImplementationOf } from '../binder/interface.ts'
import { sessionOf } from '../binder/session.ts'
import { IWatch } from '../interfaces/watch.ts'
import type { IBinder } from '../parcel/ibinder.ts'
import { DeadObjectError, IllegalStateError, NullPointerError } from '../util/errors.ts'
import { withoutStack } from '../util/stack-traces.ts'
import type { WatcherBudget, Watchers } from './watchers.ts'

/** A channel that nobody counts for. */
const UNLIMITED: WatcherBudget = { charge: () => undefined, refund: () => undefined }

export class WatchService extends IWatch.Stub implements ImplementationOf<typeof IWatch> {
  readonly #watchers: Watchers

  constructor(watchers: Watchers) {
    super()
    this.#watchers = watchers
  }

  watch(callback: IBinder | null): void {
    if (callback === null) throw withoutStack(() => new NullPointerError('Null callback'))
    if (!(callback instanceof BinderProxy))
      throw new IllegalStateError(
        'a process cannot watch its own service: use onChange of the object that owns the value',
      )
    const session = sessionOf(callback)
    if (session.isEnded) throw withoutStack(() => new DeadObjectError('the channel of this callback is closed'))
    this.#watchers.add(callback, session.budget ?? UNLIMITED)
  }

  unwatch(callback: IBinder | null): void {
    this.#watchers.remove(callback)
  }

  acknowledge(callback: IBinder | null): void {
    this.#watchers.acknowledge(callback)
  }
}
