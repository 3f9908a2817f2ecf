/** The service's side of an interface, made of its table: reads the arguments, calls the method, writes the result. */
import type { IBinder, IInterface } from '../parcel/ibinder.ts'
import type { Parcel } from '../parcel/parcel.ts'
import { isException } from '../parcel/parcel-exceptions.ts'
import { ServiceFailureError } from '../util/errors.ts'
import type { CallOptions } from '../util/patience.ts'
import { pauseStackTraces, resumeStackTraces } from '../util/stack-traces.ts'
import { Binder, type BinderOptions } from './binder.ts'
import { BinderProxy } from './binder-proxy.ts'
import type { InterfaceSpec, MethodSpec } from './method-table.ts'
import { isOurType } from './parcel-types.ts'
import { FLAG_ONEWAY } from './transaction-codes.ts'
import { limitCalls, makeLimitedLocal } from './with-options.ts'

/** A class whose subclasses define the methods; see `InterfaceParts.Stub`. */
export function makeStub(descriptor: string, methods: InterfaceSpec): typeof Binder {
  const byCode = new Map(
    Object.entries(methods).map(([name, method]) => [
      method.code,
      { name, method, read: argsReader(descriptor, method) },
    ]),
  )
  let LimitedLocal: ReturnType<typeof makeLimitedLocal> | undefined // few callers set a limit
  return class Stub extends Binder implements IInterface {
    constructor(options?: BinderOptions) {
      super(options)
      this.attachInterface(this, descriptor)
    }

    asBinder(): IBinder {
      return this
    }

    [limitCalls](options: CallOptions): IInterface {
      LimitedLocal ??= makeLimitedLocal(descriptor, Object.keys(methods))
      return new LimitedLocal(this, options)
    }

    override onTransact(code: number, data: Parcel, reply: Parcel, flags: number): boolean | Promise<boolean> {
      const entry = byCode.get(code)
      if (entry === undefined) return super.onTransact(code, data, reply, flags)
      const implementation = (this as unknown as Record<string, unknown>)[entry.name] // a subclass has it, or not
      if (typeof implementation !== 'function') return false
      // Java on Android would run the method and drop the result. A method that returns something is useless without
      // its result.
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

/**
 * Checks the token and reads the arguments. Errors of memsvc's readers are about the bytes that arrived, so they need
 * no stack.
 */
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
    throw new ServiceFailureError(`${name} returned a wrong value: ${(cause as Error).message}`, { cause })
  }
  return true
}
