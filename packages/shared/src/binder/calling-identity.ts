/**
 * Who is calling. On Android this belongs to the thread; here it belongs to the asynchronous context of the call, so it
 * holds across every await of the method that serves it, and calls that run at the same time do not mix.
 */

import type { AsyncLocalStorage } from 'node:async_hooks'
import process from 'node:process'
import { captureContext } from 'memfd-native'
import { checkFunction } from '../util/check.ts'
import { IllegalStateError, InvalidArgTypeError } from '../util/errors.ts'
import { nodeAsyncHooks } from '../util/late-modules.ts'

/** A caller, as the kernel reported it. The pid of a oneway call is 0: its sender may be gone already. */
export interface Caller {
  readonly pid: number
  readonly uid: number
}

interface CallState {
  caller: Caller
  /** clearCallingIdentity() was called: the process speaks for itself, on purpose. */
  isCleared: boolean
}

/** Made by the first call that comes: a process that only calls others does without. */
let calls: AsyncLocalStorage<CallState> | undefined
const self: Caller = { pid: process.pid, uid: process.getuid?.() ?? 0 }
/** The state outside of any call. */
const outsideAnyCall: CallState = { caller: self, isCleared: false }

/** The identity of a call that `runBriefly` serves, while it runs. */
let syncCall: CallState | null = null

/** An object whose methods ask who calls before their first await, if at all: for objects of this project's own. */
export const readsCallerSynchronously: unique symbol = Symbol('readsCallerSynchronously')

/** Runs `serve` with `caller` as the calling identity until it returns, which costs next to nothing. */
export function runAsCallerSync<A, B, T>(caller: Caller, serve: (a: A, b: B) => T, a: A, b: B): T {
  const before = syncCall
  syncCall = { caller, isCleared: false }
  try {
    return serve(a, b)
  } finally {
    syncCall = before
  }
}

/** Runs `serve` with `caller` as the calling identity, and everything it awaits. */
export function runAsCaller<A, B, T>(caller: Caller, serve: (a: A, b: B) => T, a: A, b: B): T {
  calls ??= new (nodeAsyncHooks().AsyncLocalStorage)()
  return calls.run({ caller, isCleared: false }, serve, a, b)
}

const needsNoContext = Symbol('memsvc.needsNoContext')

/**
 * For sibling packages: a callback that runs no user code. It is called directly in any context, which costs nothing.
 */
export function withoutContext<F extends object>(callback: F): F {
  return Object.assign(callback, { [needsNoContext]: true })
}

/**
 * A callback of the user's: run in the async context of now, which is the one in which it was given, but with the calling identity of
 * whenever it is called.
 * @param name of the async resource
 */
export function inContext<A extends unknown[], R>(name: string, callback: (...args: A) => R): (...args: A) => R {
  if (needsNoContext in callback) return callback
  const context = captureContext(name)
  return (...args) => {
    if (calls === undefined) return context.runInAsyncScope(callback, undefined, ...args)
    const [known, state] = [calls, calls.getStore()]
    return context.runInAsyncScope(() =>
      state === undefined ? known.exit(callback, ...args) : known.run(state, callback, ...args),
    )
  }
}

/** An optional callback of a user, wrapped as by `inContext`. */
export interface Given<F> {
  readonly given: F | null
  readonly call: F | null
}

/** None was given. */
export const NOT_GIVEN: Given<never> = Object.freeze({ given: null, call: null })

/**
 * Like inContext, for a callback that is assigned to a property.
 * @throws ERR_INVALID_ARG_TYPE if it is neither a function nor null
 */
export function givenInContext<A extends unknown[], R>(
  property: string,
  callback: ((...args: A) => R) | null | undefined,
): Given<(...args: A) => R> {
  if (callback === null || callback === undefined) return NOT_GIVEN
  checkFunction(property, callback)
  return { given: callback, call: inContext(`memsvc:${property}`, callback) }
}

/** Runs a function outside the current call, as this process itself. */
export function runAsSelf(act: () => void): void {
  const before = syncCall
  syncCall = null
  try {
    if (calls === undefined) act()
    else calls.exit(act)
  } finally {
    syncCall = before
  }
}

/** Both at once. */
export function callingProcess(): Caller {
  return currentCall().caller
}

export function callingPid(): number {
  return currentCall().caller.pid
}

export function callingUid(): number {
  return currentCall().caller.uid
}

/** The caller's uid; ERR_ILLEGAL_STATE outside of a call, unless the identity was cleared on purpose. */
export function callingUidOrThrow(): number {
  const state = currentCall()
  if (state === outsideAnyCall && !state.isCleared) {
    throw new IllegalStateError('not in a transaction: nobody is calling')
  }
  return state.caller.uid
}

// A token carries the whole state, as Android's does: | pid 32 | uid 32 | cleared 1 | 1 |, so it is always positive.
const UID_SHIFT = 2n
const PID_SHIFT = 34n

export function clearCallingIdentity(): bigint {
  const state = currentCall()
  const token =
    (BigInt(state.caller.pid) << PID_SHIFT) | (BigInt(state.caller.uid) << UID_SHIFT) | (state.isCleared ? 2n : 0n) | 1n
  state.caller = self
  state.isCleared = true
  return token
}

export function restoreCallingIdentity(token: bigint): void {
  if (typeof token !== 'bigint') throw new InvalidArgTypeError('token must be the bigint of clearCallingIdentity()')
  const state = currentCall()
  state.caller = {
    pid: Number(BigInt.asUintN(32, token >> PID_SHIFT)),
    uid: Number(BigInt.asUintN(32, token >> UID_SHIFT)),
  }
  state.isCleared = (token & 2n) !== 0n
}

function currentCall(): CallState {
  return syncCall ?? calls?.getStore() ?? outsideAnyCall
}
