/** One call that came in, and how its object is asked: with its caller as the identity, in the context of the object. */
import type { AsyncContext } from 'memfd-native'
import type { Parcel } from '../parcel/parcel.ts'
import type { Binder } from './binder.ts'
import { type Caller, readsCallerSynchronously, runAsCaller, runAsCallerSync } from './calling-identity.ts'
import { FLAG_ONEWAY, PING_TRANSACTION } from './transaction-codes.ts'

/** A call under way: its parcels are recycled when it is over. */
export interface RunningCall {
  /** 0 of a oneway call. */
  readonly id: number
  readonly code: number
  /** What it is served in. */
  readonly context: AsyncContext | null
  /** Of the request, in bytes. */
  readonly size: number
  /** Descriptors that came with it. */
  readonly fds: number
  readonly data: Parcel
  readonly reply: Parcel
}

/** In the context in which the object was given away, and with this caller as the calling identity. */
export function serve(binder: Binder, call: RunningCall, caller: Caller): boolean | Promise<boolean> {
  const { context } = call
  if (context === null) return identityOf(binder)(caller, dispatch, binder, call)
  return context.runInAsyncScope(runInContext, undefined, caller, binder, call)
}

function runInContext(caller: Caller, binder: Binder, call: RunningCall): boolean | Promise<boolean> {
  return runAsCaller(caller, dispatch, binder, call)
}

function identityOf(binder: Binder): typeof runAsCaller {
  return binder[readsCallerSynchronously] ? runAsCallerSync : runAsCaller
}

function dispatch(binder: Binder, { id, code, data, reply }: RunningCall): boolean | Promise<boolean> {
  return code === PING_TRANSACTION ? true : binder.onTransact(code, data, reply, id === 0 ? FLAG_ONEWAY : 0)
}
