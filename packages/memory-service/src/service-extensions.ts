/** What the daemon serves on the memory service's binder beyond the seed's interface: watching and control. */
import {
  Binder,
  BinderProxy,
  DeadObjectError,
  type IBinder,
  IllegalStateError,
  type ImplementationOf,
  IWatch,
  NullPointerError,
  SecurityError,
} from '@memsvc/shared'
import { IControl, type Session, sessionOf, withoutStack } from '@memsvc/shared/internal'
import type { Account } from './ledger.ts'
import type { Watchers } from './watchers.ts'

export class WatchService extends IWatch.Stub implements ImplementationOf<typeof IWatch> {
  readonly #watchers: Watchers
  readonly #accountOf: (session: Session) => Account | undefined

  constructor(watchers: Watchers, accountOf: (session: Session) => Account | undefined) {
    super()
    this.#watchers = watchers
    this.#accountOf = accountOf
  }

  watch(callback: IBinder | null): void {
    if (callback === null) throw withoutStack(() => new NullPointerError('Null callback'))
    if (!(callback instanceof BinderProxy))
      throw withoutStack(() => new IllegalStateError('a callback of this process cannot watch'))
    const account = this.#accountOf(sessionOf(callback))
    if (account === undefined) throw withoutStack(() => new DeadObjectError('the channel of this callback is over'))
    this.#watchers.add(callback, account)
  }

  unwatch(callback: IBinder | null): void {
    this.#watchers.remove(callback)
  }

  acknowledge(callback: IBinder | null): void {
    this.#watchers.acknowledge(callback)
  }
}

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

  #checkOwner(deed: string): number {
    const uid = Binder.getCallingUid()
    if (!this.#options.isOwner(uid))
      throw withoutStack(() => new SecurityError(`uid ${uid} may not ${deed} this daemon`))
    return uid
  }
}
