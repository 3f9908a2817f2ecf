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

/** What a service implements: results as they are, or promises of them. */
export type Implementation<S extends InterfaceSpec> = {
  [K in keyof S]: (...args: ValuesOf<S[K]['args']>) => ResultOf<S[K]> | Promise<ResultOf<S[K]>>
}

/** What a proxy offers: the same methods, answering promises. */
export type Remote<S extends InterfaceSpec> = {
  [K in keyof S]: (...args: ValuesOf<S[K]['args']>) => Promise<ResultOf<S[K]>>
}

export type TransactionCodes<S extends InterfaceSpec> = {
  readonly [K in keyof S & string as `TRANSACTION_${K}`]: S[K]['code']
}

/** What defineInterface answers. */
export interface InterfaceParts<S extends InterfaceSpec> {
  /** The name of the interface, which every request begins with. */
  readonly DESCRIPTOR: string
  /** The table itself. */
  readonly methods: S
  /**
   * Extend it and define the methods; `implements ImplementationOf<typeof IMine>` has the compiler check them. A method
   * that is not defined is unknown to callers. A ParcelFileDescriptor that a method returns is closed once it has been
   * written to the reply: return one that is yours to give.
   */
  readonly Stub: new (
    options?: BinderOptions,
  ) => Binder & IInterface
  /** Wraps a remote binder. Each method rejects with what the service threw, or as BinderProxy.transact. */
  readonly Proxy: new (
    remote: IBinder,
  ) => IInterface & Remote<S>
  /** The local object if the binder is one of this interface, else a new proxy. null of null. */
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
 * Makes the parts of an interface.
 * @param descriptor its name: every request begins with it, and a service checks it
 * @throws ERR_INVALID_ARG_VALUE a code twice or out of range, a method named like one of Binder's or Object's, or one
 *   that is oneway and returns something
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
