/**
 * Interfaces as tables: `defineInterface` makes Stub (the service's side) and Proxy (the caller's) from one table of
 * methods, with their types. What an AIDL compiler generates, without the generating.
 */
import type { IBinder, IInterface } from '../parcel/ibinder.ts'
import { checkObject, checkString, show } from '../util/check.ts'
import { InvalidArgTypeError, InvalidArgValueError } from '../util/errors.ts'
import { Binder, type BinderOptions } from './binder.ts'
import { makeProxy } from './interface-proxy.ts'
import { makeStub } from './interface-stub.ts'
import type { InterfaceSpec, MethodSpec } from './method-table.ts'
import type { ParcelType } from './parcel-types.ts'
import { LAST_CALL_TRANSACTION } from './transaction-codes.ts'

export type { InterfaceSpec, MethodSpec } from './method-table.ts'

type ValueOf<T> = T extends ParcelType<infer V> ? V : never
type ValuesOf<A extends readonly unknown[]> = { -readonly [I in keyof A]: ValueOf<A[I]> }
// biome-ignore lint/suspicious/noConfusingVoidType: it is the return type of a method that answers nothing
type ResultOf<M extends MethodSpec> = M extends { returns: infer R } ? ValueOf<R> : void

/** The methods that a service implements. They return results, or promises of results. */
export type Implementation<S extends InterfaceSpec> = {
  [K in keyof S]: (...args: ValuesOf<S[K]['args']>) => ResultOf<S[K]> | Promise<ResultOf<S[K]>>
}

/** What a proxy offers: the same methods, which return promises. */
export type Remote<S extends InterfaceSpec> = {
  [K in keyof S]: (...args: ValuesOf<S[K]['args']>) => Promise<ResultOf<S[K]>>
}

export type TransactionCodes<S extends InterfaceSpec> = {
  readonly [K in keyof S & string as `TRANSACTION_${K}`]: S[K]['code']
}

/** What defineInterface returns. */
export interface InterfaceParts<S extends InterfaceSpec> {
  /** The name of the interface, which every request begins with. */
  readonly DESCRIPTOR: string
  /** The table of methods that you gave. */
  readonly methods: S
  /**
   * Extend it and define the methods. With `implements ImplementationOf<typeof IMine>` the compiler checks them.
   * Callers cannot call a method that you do not define. A ParcelFileDescriptor that a method returns is closed after
   * it was written to the reply, so return one that you no longer need.
   */
  readonly Stub: new (
    options?: BinderOptions,
  ) => Binder & IInterface
  /**
   * Wraps a binder of another process. Each method rejects with the error that the service threw, or as
   * BinderProxy.transact does.
   */
  readonly Proxy: new (
    remote: IBinder,
  ) => IInterface & Remote<S>
  /** The local object, if the binder is local and has this interface; otherwise a new proxy. null for null. */
  asInterface(binder: IBinder): IInterface & Implementation<S>
  asInterface(binder: IBinder | null): (IInterface & Implementation<S>) | null
}

/** The methods that a service of an interface implements: `ImplementationOf<typeof IMemoryService>`. */
export type ImplementationOf<I> = I extends { readonly methods: infer S extends InterfaceSpec }
  ? Implementation<S>
  : never

const RESERVED = new Set([
  ...Object.getOwnPropertyNames(Object.prototype),
  ...Object.getOwnPropertyNames(Binder.prototype),
  'asBinder',
  'then',
])

/**
 * Makes an interface: what AIDL generates on Android.
 * @param descriptor the name of the interface. Every request begins with it, and the service checks it
 * @throws ERR_INVALID_ARG_VALUE for a code that is used twice or out of range, for a method with the name of a method
 *   of Binder or Object, or for a oneway method that returns something
 */
export function defineInterface<const S extends InterfaceSpec>(
  descriptor: string,
  methods: S,
): InterfaceParts<S> & TransactionCodes<S> {
  checkString('descriptor', descriptor)
  checkObject('methods', methods)
  checkMethods(methods)
  const RemoteProxy = makeProxy(descriptor, methods)
  const parts = {
    DESCRIPTOR: descriptor,
    methods,
    Stub: makeStub(descriptor, methods),
    Proxy: RemoteProxy,
    asInterface: (binder: IBinder | null) => {
      if (binder === null) return null
      if (typeof binder !== 'object' || typeof binder.queryLocalInterface !== 'function') {
        throw new InvalidArgTypeError(`binder must be a binder, got ${show(binder)}`)
      }
      return binder.queryLocalInterface(descriptor) ?? new RemoteProxy(binder)
    },
    ...Object.fromEntries(Object.entries(methods).map(([name, { code }]) => [`TRANSACTION_${name}`, code])),
  }
  // The two classes get their methods from the table while the program runs; the types get them from it here.
  return Object.freeze(parts) as unknown as InterfaceParts<S> & TransactionCodes<S>
}

function checkMethods(methods: InterfaceSpec): void {
  const codes = new Set<number>()
  for (const [name, { code, oneway, returns }] of Object.entries(methods)) {
    if (!Number.isInteger(code) || code < 1 || code > LAST_CALL_TRANSACTION || codes.has(code)) {
      throw new InvalidArgValueError(
        `the code of ${name} must be unique and from 1 to ${LAST_CALL_TRANSACTION}, got ${code}`,
      )
    }
    if (RESERVED.has(name))
      throw new InvalidArgValueError(
        `a method cannot be called ${name}: every Binder already has a method of this name`,
      )
    if (oneway && returns) throw new InvalidArgValueError(`${name} is oneway: it cannot return anything`)
    codes.add(code)
  }
}
