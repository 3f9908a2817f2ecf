/**
 * What a proxy needs of whatever brings its calls to the object. The proxies own these words; `Session` speaks them.
 */
import type { acceptsFileDescriptors } from '../parcel/carried-binder.ts'
import type { Parcel } from '../parcel/parcel.ts'
import type { CallOptions } from '../util/patience.ts'

/** A proxy, as its link sees it. */
export interface LinkedProxy {
  readonly link: ProxyLink
  /** The number in the peer's table. */
  readonly objectNumber: number
  /** Whether requests to the object may carry descriptors. */
  readonly [acceptsFileDescriptors]: boolean
  /** Told once. */
  linkEnded(reason: Error): void
}

/** What a caller makes of the answer. */
export interface ResultReader<T> {
  /** What was called, for people. */
  readonly what: string
  /** @param reply lent until this returns @throws what the reply says */
  read(reply: Parcel): T
  /** The error if the object does not know the code; or, if it failed because of a bug, the error with its message. */
  failed(fault: string | null): Error
}

/** Until a call is answered, its proxy is held. */
export interface ProxyLink {
  /** Sends a call, at the latest when this turn ends; the promise is of the answer, without options as long as it takes. @throws see BinderProxy.transact */
  transact(
    proxy: LinkedProxy,
    code: number,
    data: Parcel,
    reply: Parcel | null,
    options: CallOptions | undefined,
  ): Promise<boolean>
  /** As transact, for what `reader` makes of the answer. */
  transactFor<T>(
    proxy: LinkedProxy,
    code: number,
    data: Parcel,
    reader: ResultReader<T>,
    options: CallOptions | undefined,
  ): Promise<T>
  /** Sends a call that gets no answer. @throws see BinderProxy.transact */
  transactOneway(proxy: LinkedProxy, code: number, data: Parcel): void
  /** A proxy with death links stays reachable. */
  retain(proxy: LinkedProxy): void
  release(proxy: LinkedProxy): void
  /** The proxy was closed: its object goes back to the peer. */
  drop(proxy: LinkedProxy): void
  /** The proxy was read for a call that is not carried out, in this turn: nobody has it, unless it was read before. */
  abandon(proxy: LinkedProxy): void
  /** Ends the link now, for this reason. Idempotent. */
  close(reason?: Error): void
}
