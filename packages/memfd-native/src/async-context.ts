/**
 * Async contexts (AsyncLocalStorage, async_hooks). A user's callback runs in the context in which the user gave it. The
 * library's own work runs outside any context; otherwise it would keep the context of the first user alive.
 */
import type { AsyncResource } from 'node:async_hooks'
import process from 'node:process'
import { checkFunction, typeProblem } from './argument.ts'
import { native } from './binding.ts'

/** An async context in which you can run functions later. */
export type AsyncContext = Pick<AsyncResource, 'runInAsyncScope'>

type Captured = new (name: string) => AsyncContext

/** Loaded late: a program that gives no callback does without. */
let Captured: Captured | undefined

/**
 * The current async context. `name` is its name in async_hooks. Functions that run in it later cannot change it
 * (`enterWith`).
 * @throws TypeError (ERR_INVALID_ARG_TYPE)
 */
export function captureContext(name: string): AsyncContext {
  if (typeof name !== 'string' || name === '') throw typeProblem('name must be a string that is not empty')
  Captured ??= lastingResource()
  return new Captured(name)
}

/**
 * Returns a function that runs the callback in the current async context.
 * @throws TypeError (ERR_INVALID_ARG_TYPE)
 */
export function inThisContext<A extends unknown[], R>(name: string, callback: (...args: A) => R): (...args: A) => R {
  checkFunction('callback', callback)
  const context = captureContext(name)
  return (...args) => context.runInAsyncScope(callback, undefined, ...args)
}

/**
 * Runs `act` now, outside any async context, and throws what it throws.
 * @throws TypeError (ERR_INVALID_ARG_TYPE)
 */
export function inNoContext<R>(act: () => R): R {
  checkFunction('act', act)
  return native.inNoContext(act) as R
}

/**
 * Before Node 24 an AsyncResource keeps the effect of `enterWith` in its functions, so each run has its own resource
 * there.
 */
function lastingResource(): Captured {
  const { AsyncLocalStorage, AsyncResource } = process.getBuiltinModule('node:async_hooks')
  const probe = new AsyncLocalStorage<boolean>()
  const resource = new AsyncResource('memfd-native:probe')
  resource.runInAsyncScope(() => probe.enterWith(true))
  const isChanged = resource.runInAsyncScope(() => probe.getStore()) === true
  probe.disable()
  if (!isChanged) return AsyncResource
  return class extends AsyncResource {
    override runInAsyncScope<This, Result, Args extends unknown[]>(
      callback: (this: This, ...args: Args) => Result,
      thisArg?: This,
      ...args: Args
    ): Result {
      const run = () => new AsyncResource('memfd-native:run').runInAsyncScope(callback, thisArg, ...args)
      return super.runInAsyncScope(run)
    }
  }
}
