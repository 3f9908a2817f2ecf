/**
 * Interfaces as tables: `defineInterface` makes Stub (the service's side) and Proxy (the caller's) from one table of
 * methods, with their types. What an AIDL compiler generates, without the generating.
 */

import { captureContext, inspected, introduce, keepFromCloning } from 'memfd-native'
import type { IBinder, IInterface } from '../parcel/ibinder.ts'
import { Parcel } from '../parcel/parcel.ts'
import { isException } from '../parcel/parcel-exceptions.ts'
import { abortError } from '../util/abortable.ts'
import { checkObject, checkString, show } from '../util/check.ts'
import {
  BadParcelError,
  InvalidArgTypeError,
  InvalidArgValueError,
  NullPointerError,
  OutOfRangeError,
  ServiceFailureError,
  UnknownTransactionError,
} from '../util/errors.ts'
import { type CallOptions, within } from '../util/patience.ts'
import { pauseStackTraces, resumeStackTraces, stripStack } from '../util/stack-traces.ts'
import { Binder, type BinderOptions } from './binder.ts'
import { BinderProxy } from './binder-proxy.ts'
import { isOurType, type ParcelType } from './parcel-types.ts'
import { FLAG_ONEWAY, LAST_CALL_TRANSACTION } from './transaction-codes.ts'
import { closeLate, limitCalls, makeLimitedLocal, whatIs } from './with-options.ts'

/** One method of an interface. */
export interface MethodSpec {
  /** 1 to 16777215, unique within the interface: it is what travels. */
  readonly code: number
  /** The types of its parameters, in their order. */
  readonly args: readonly ParcelType<unknown>[]
  /** Absent: nothing. */
  readonly returns?: ParcelType<unknown>
  /** The caller does not wait, and learns nothing of the outcome. */
  readonly oneway?: boolean
}

/** The methods of an interface, by name. */
export type InterfaceSpec = Readonly<Record<string, MethodSpec>>

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
    if (RESERVED.has(name)) throw new InvalidArgValueError(`a method cannot be named ${name}: every Binder has it`)
    if (oneway && returns) throw new InvalidArgValueError(`${name} is oneway: it cannot return anything`)
    codes.add(code)
  }
}

function makeStub(descriptor: string, methods: InterfaceSpec): typeof Binder {
  const byCode = new Map(
    Object.entries(methods).map(([name, method]) => [
      method.code,
      { name, method, read: argsReader(descriptor, method) },
    ]),
  )
  const LimitedLocal = makeLimitedLocal(descriptor, Object.keys(methods))
  return class Stub extends Binder implements IInterface {
    constructor(options?: BinderOptions) {
      super(options)
      this.attachInterface(this, descriptor)
    }

    asBinder(): IBinder {
      return this
    }

    [limitCalls](options: CallOptions): IInterface {
      return new LimitedLocal(this, options)
    }

    override onTransact(code: number, data: Parcel, reply: Parcel, flags: number): boolean | Promise<boolean> {
      const entry = byCode.get(code)
      if (entry === undefined) return super.onTransact(code, data, reply, flags)
      const implementation = (this as unknown as Record<string, unknown>)[entry.name] // a subclass has it, or not
      if (typeof implementation !== 'function') return false
      // Android's Java would carry it out and throw the answer away. Whoever does not want the answer asks for nothing.
      if ((flags & FLAG_ONEWAY) !== 0 && entry.method.returns !== undefined) return true
      const args = entry.read(data)
      const result: unknown = implementation.apply(this, args)
      return isThenable(result)
        ? Promise.resolve(result).then((value) => writeResult(entry, reply, value))
        : writeResult(entry, reply, result)
    }
  }
}

/** A promise of any library's. */
function isThenable(result: unknown): boolean {
  return typeof result === 'object' && result !== null && 'then' in result && typeof result.then === 'function'
}

/** Checks the token and reads the arguments. What readers of ours throw is about what came, and no stack has anything to say about that. */
function argsReader(descriptor: string, method: MethodSpec): (data: Parcel) => unknown[] {
  function read(data: Parcel): unknown[] {
    data.enforceInterface(descriptor)
    return readArgs(method, data)
  }
  if (!method.args.every(isOurType)) return read
  return (data) => {
    const before = pauseStackTraces()
    try {
      return read(data)
    } finally {
      resumeStackTraces(before)
    }
  }
}

function readArgs(method: MethodSpec, data: Parcel): unknown[] {
  const types = method.args
  const args: unknown[] = new Array(types.length)
  try {
    for (let i = 0; i < types.length; i++) args[i] = types[i]?.read(data)
    data.enforceNoDataAvail()
    return args
  } catch (error) {
    for (const arg of args) if (arg instanceof BinderProxy) arg.link.abandon(arg)
    throw error
  }
}

/** @throws ERR_SERVICE_FAILURE it is of the wrong type: the caller, who would be told so otherwise, has done nothing wrong */
function writeResult({ name, method }: { name: string; method: MethodSpec }, reply: Parcel, value: unknown): true {
  if (method.oneway === true) return true
  reply.writeNoException()
  try {
    method.returns?.writeResult(reply, value)
  } catch (cause) {
    if (!isException(cause)) throw cause
    throw new ServiceFailureError(`it returned what ${name} cannot: ${(cause as Error).message}`, { cause })
  }
  return true
}

function makeProxy(descriptor: string, methods: InterfaceSpec): new (remote: IBinder) => IInterface {
  let invoke!: (proxy: RemoteProxy, call: Call, args: unknown[]) => Promise<unknown>
  class RemoteProxy implements IInterface {
    readonly #remote: IBinder
    readonly #options: CallOptions | undefined

    /** @param options for `withOptions` */
    constructor(remote: IBinder, options?: CallOptions) {
      this.#remote = remote
      this.#options = options
      keepFromCloning(this)
    }

    [inspected](): string {
      const isAlive = this.#remote?.isBinderAlive?.()
      return introduce(this, { interface: descriptor, state: isAlive === false ? 'dead' : 'alive' })
    }

    asBinder(): IBinder {
      return this.#remote
    }

    [limitCalls](options: CallOptions): IInterface {
      return new RemoteProxy(this.#remote, options)
    }

    static {
      invoke = (proxy, call, args) => call(proxy.#remote, args, proxy.#options)
    }
  }
  for (const [name, method] of Object.entries(methods)) {
    const callIt = makeCall(descriptor, name, method)
    const call = function (this: RemoteProxy, ...args: unknown[]): Promise<unknown> {
      try {
        return invoke(this, callIt, args)
      } catch (error) {
        return Promise.reject(error)
      }
    }
    Object.defineProperty(RemoteProxy.prototype, name, { value: call, writable: true, configurable: true })
  }
  return RemoteProxy
}

const ABOUT_ARGUMENTS = [InvalidArgTypeError, InvalidArgValueError, NullPointerError, OutOfRangeError]

/** An error about a value, with the argument that it is of. */
function inArgument(error: unknown, place: string): unknown {
  const isAboutIt = ABOUT_ARGUMENTS.some((Class) => error instanceof Class)
  if (isAboutIt) (error as Error).message = `${place}: ${(error as Error).message}`
  return error
}

type Call = (remote: IBinder, args: unknown[], options: CallOptions | undefined) => Promise<unknown>

/** A method of a proxy, for any binder. */
function makeCall(descriptor: string, name: string, method: MethodSpec): Call {
  const { code, args: types } = method
  const isOneway = method.oneway === true
  const what = whatIs(name, descriptor)
  const isReadByUs = method.returns === undefined || isOurType(method.returns)
  const reader = {
    what,
    read: (reply: Parcel) => readReply(method, reply),
    failed: (fault: string | null) =>
      fault === null
        ? new UnknownTransactionError(`${descriptor} at the other side does not know ${name}`)
        : new ServiceFailureError(`${what} failed at the other side: ${fault}`),
  }

  function write(data: Parcel, args: unknown[]): void {
    data.writeInterfaceToken(descriptor)
    let i = 0
    try {
      for (; i < types.length; i++) types[i]?.write(data, args[i])
    } catch (error) {
      throw inArgument(error, `${name}: argument ${i + 1}`)
    }
  }

  /** What reads the result is not ours: it runs in the async context of the call, as what comes after its `await`. */
  function readerOfNow(): typeof reader {
    const context = captureContext('memsvc:result')
    return { ...reader, read: (reply) => context.runInAsyncScope(reader.read, undefined, reply) }
  }

  /** The request has been sent, or copied to be sent with others, when the call returns. */
  function callProxy(remote: BinderProxy, args: unknown[], options: CallOptions | undefined): Promise<unknown> {
    const data = Parcel.obtain(remote)
    try {
      write(data, args)
      return remote.transactFor(code, data, isReadByUs ? reader : readerOfNow(), options)
    } finally {
      data.recycle()
    }
  }

  async function callAny(remote: IBinder, args: unknown[]): Promise<unknown> {
    const data = Parcel.obtain(remote)
    const reply = isOneway ? null : Parcel.obtain()
    try {
      write(data, args)
      const isKnown = await remote.transact(code, data, reply, isOneway ? FLAG_ONEWAY : 0)
      if (!isKnown) throw reader.failed(null)
      return reply === null ? undefined : reader.read(reply)
    } finally {
      data.recycle()
      reply?.recycle()
    }
  }

  return (remote, args, options) => {
    if (remote instanceof BinderProxy && !isOneway) return callProxy(remote, args, options)
    if (options?.signal?.aborted) throw abortError(options.signal)
    return options === undefined ? callAny(remote, args) : within(options, what, callAny(remote, args), closeLate)
  }
}

function readReply(method: MethodSpec, reply: Parcel): unknown {
  try {
    reply.readException()
  } catch (error) {
    throw stripStack(error)
  }
  const value = method.returns?.read(reply)
  if (method.returns !== undefined && value === undefined) throw new BadParcelError('the reply has no result')
  return value
}
