/** Gives the calls of an interface a deadline and a signal, for proxies and for local objects. */
import type { IBinder, IInterface } from '../parcel/ibinder.ts'
import { abortError } from '../util/abortable.ts'
import { checkNotNull, show } from '../util/check.ts'
import { InvalidArgTypeError, UnknownTransactionError } from '../util/errors.ts'
import { type CallOptions, checkCallOptions, within } from '../util/patience.ts'

/** How `defineInterface` makes the same proxy with options for its calls. */
export const limitCalls: unique symbol = Symbol('limitCalls')

/**
 * The same service, with a limit on how long each call waits: until `signal` fires or `timeoutMs` have passed. The
 * service may still carry the call out. An answer that comes later is dropped, and its descriptors are closed. Such a
 * call does not keep the process alive. If the signal has fired already, nothing is sent.
 * @param service a proxy that `asInterface` returned. It is not changed; both have the same binder
 * @returns a service whose methods then reject with AbortError or ERR_TIMEOUT
 * @throws ERR_NULL_POINTER, ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE
 */
export function withOptions<T extends IInterface>(service: T, options: CallOptions): T {
  checkNotNull('service', service)
  checkCallOptions(options)
  const { [limitCalls]: limit } = service as { [limitCalls]?: (options: CallOptions) => T }
  if (typeof limit === 'function') return limit.call(service, { ...options })
  throw new InvalidArgTypeError(`service must be a proxy that asInterface returned, got ${show(service)}`)
}

/** Closes a result that nobody waits for any more: a descriptor or a proxy. */
export function closeLate(result: unknown): void {
  if (typeof result !== 'object' || result === null || !('close' in result)) return
  if (typeof result.close === 'function') result.close()
}

/** The class that calls a local object with a limit on the wait. For `defineInterface`. */
export function makeLimitedLocal(
  descriptor: string,
  methods: readonly string[],
): new (
  local: IBinder,
  options: CallOptions,
) => IInterface {
  let invoke!: (limited: LimitedLocal, name: string, args: unknown[]) => Promise<unknown>
  class LimitedLocal implements IInterface {
    readonly #local: IBinder
    readonly #options: CallOptions

    constructor(local: IBinder, options: CallOptions) {
      this.#local = local
      this.#options = options
    }

    asBinder(): IBinder {
      return this.#local
    }

    [limitCalls](options: CallOptions): IInterface {
      return new LimitedLocal(this.#local, options)
    }

    static {
      invoke = (limited, name, args) => limited.#invoke(name, args)
    }

    async #invoke(name: string, args: unknown[]): Promise<unknown> {
      const { signal } = this.#options
      if (signal?.aborted) throw abortError(signal)
      const local = this.#local as unknown as Record<string, (...args: unknown[]) => unknown> // a subclass has it, or not
      const what = whatIs(name, descriptor)
      if (typeof local[name] !== 'function') throw new UnknownTransactionError(`this object does not have ${what}`)
      const work = (async () => local[name]?.(...args))()
      return within(this.#options, what, work, closeLate)
    }
  }
  for (const name of methods) {
    const call = function (this: LimitedLocal, ...args: unknown[]): Promise<unknown> {
      return invoke(this, name, args)
    }
    Object.defineProperty(LimitedLocal.prototype, name, { value: call, writable: true, configurable: true })
  }
  return LimitedLocal
}

/** A method, for people. */
export function whatIs(method: string, descriptor: string): string {
  return `${method} of ${descriptor}`
}
