/**
 * The async context (AsyncLocalStorage) that an object of ours is served in: the one in which it was given away. Objects of this
 * project's own are served in none: they run nothing of the user's, but for callbacks that have contexts of their own.
 */
import { type AsyncContext, captureContext } from 'memfd-native'
import { isBackground } from './background.ts'
import type { Binder } from './binder.ts'
import { readsCallerSynchronously } from './calling-identity.ts'

/** The context of now. null: none is needed. */
export function contextFor(binder: Binder): AsyncContext | null {
  return binder[readsCallerSynchronously] || binder[isBackground] ? null : captureContext('memsvc:Binder')
}
