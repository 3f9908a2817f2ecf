/** The caller's side of an interface, made of its table: writes the arguments, calls the object, reads the result. */
import { captureContext, inspected, introduce, keepFromCloning } from 'memfd-native'
import type { IBinder, IInterface } from '../parcel/ibinder.ts'
import { Parcel } from '../parcel/parcel.ts'
import { markLeaving } from '../parcel/parcel-objects.ts'
import { abortError } from '../util/abortable.ts'
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
import { stripStack } from '../util/stack-traces.ts'
import { BinderProxy } from './binder-proxy.ts'
import type { InterfaceSpec, MethodSpec } from './method-table.ts'
import { isOurType } from './parcel-types.ts'
import { FLAG_ONEWAY } from './transaction-codes.ts'
import { closeLate, limitCalls, whatIs } from './with-options.ts'

/** See `InterfaceParts.Proxy`. */
export function makeProxy(descriptor: string, methods: InterfaceSpec): new (remote: IBinder) => IInterface {
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
    let callIt: Call | undefined // most programs call few of the methods
    const call = function (this: RemoteProxy, ...args: unknown[]): Promise<unknown> {
      try {
        callIt ??= makeCall(descriptor, name, method)
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
        ? new UnknownTransactionError(`the other side's ${descriptor} has no method ${name}`)
        : new ServiceFailureError(`${what} failed on the other side: ${fault}`),
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

  /**
   * The reader of the result may be user code: it runs in the async context of the call, like the code after its
   * `await`.
   */
  function readerOfNow(): typeof reader {
    const context = captureContext('memsvc:result')
    return { ...reader, read: (reply) => context.runInAsyncScope(reader.read, undefined, reply) }
  }

  /** The request has been sent, or copied to be sent with others, when the call returns. */
  function callProxy(remote: BinderProxy, args: unknown[], options: CallOptions | undefined): Promise<unknown> {
    const data = Parcel.obtain(remote)
    try {
      markLeaving(data)
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
  if (method.returns !== undefined && value === undefined) throw new BadParcelError('the reply contains no result')
  return value
}
