/**
 * The async context (AsyncLocalStorage) that an object of ours is served in: the one in which it was given away. Objects of this
 * project's own are served in none: they run nothing of the user's, but for callbacks that have contexts of their own.
 */
import { type AsyncContext, captureContext } from 'memfd-native'
import type { IBinder } from '../parcel/ibinder.ts'
import { reportCallbackError } from '../util/report.ts'
import { isBackground } from './background.ts'
import { Binder } from './binder.ts'
import { readsCallerSynchronously } from './calling-identity.ts'

/**
 * A call of a callback that its user gave, for later: in the context of now, where the callback is an object of this process. What it
 * throws is reported, as that of a remote one is at its own side.
 * @param what for the report
 */
export function laterCall<A extends unknown[]>(
  what: string,
  callback: IBinder,
  call: (...args: A) => unknown,
): (...args: A) => void {
  const context = callback instanceof Binder ? contextFor(callback) : null
  const attempt = async (...args: A): Promise<void> => {
    try {
      await call(...args)
    } catch (error) {
      reportCallbackError(what, error)
    }
  }
  return (...args) => void (context === null ? attempt(...args) : context.runInAsyncScope(attempt, undefined, ...args))
}

/** The context of now. null: none is needed. */
export function contextFor(binder: Binder): AsyncContext | null {
  return binder[readsCallerSynchronously] || binder[isBackground] ? null : captureContext('memsvc:Binder')
}
