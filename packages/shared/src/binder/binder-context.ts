/**
 * The async context (AsyncLocalStorage) in which an object is served: the one in which it was first sent or published.
 * memsvc's own objects are served outside any context, because the only user code that they run are callbacks with
 * contexts of their own.
 */
import { type AsyncContext, captureContext } from 'memfd-native'
import type { IBinder } from '../parcel/ibinder.ts'
import { reportCallbackError } from '../util/report.ts'
import { isBackground } from './background.ts'
import { Binder } from './binder.ts'
import { readsCallerSynchronously } from './calling-identity.ts'

/**
 * Calls a user's callback later, in the current context if it is an object of this process. Its errors are reported, as
 * a remote process reports those of its own objects.
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
