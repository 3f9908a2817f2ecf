/** Makes the same oneway call to many objects of other processes. This costs little more than the kernel's part. */
import { broadcast, mayBroadcast } from '../channel/broadcast.ts'
import { OutgoingBody } from '../channel/outgoing-body.ts'
import type { Parcel } from '../parcel/parcel.ts'
import { parcelContents } from '../parcel/parcel-objects.ts'
import { counters } from '../util/counters.ts'
import { IllegalStateError } from '../util/errors.ts'
import type { BinderProxy } from './binder-proxy.ts'
import { sessionOf } from './session.ts'

/**
 * Calls each object oneway. The calls are sent when this returns; for a peer that reads slowly they wait, as with
 * `transact`.
 * @param data the same for all objects, so without descriptors and binders; it stays the caller's
 * @param onFailure called for each object that cannot be called, with the error that `transact` would give
 * @throws ERR_ILLEGAL_STATE if the parcel contains descriptors or binders
 */
export function callAllOneway(
  proxies: readonly BinderProxy[],
  code: number,
  data: Parcel,
  onFailure: (proxy: BinderProxy, error: unknown) => void,
): void {
  counters.notices += proxies.length
  const { bytes, size, objects } = parcelContents(data)
  if (objects.length > 0) throw new IllegalStateError('a broadcast cannot carry descriptors or binders')
  const body = new OutgoingBody(bytes, undefined, undefined, size)
  const call = (proxy: BinderProxy) => {
    try {
      proxy.transactOneway(code, data)
    } catch (error) {
      onFailure(proxy, error)
    }
  }
  const isClear = (proxy: BinderProxy) => proxy.isBinderAlive() && sessionOf(proxy).channel.isClear
  const clear = mayBroadcast(body) ? proxies.filter(isClear) : []
  const targets = clear.map((proxy) => ({ proxy, channel: sessionOf(proxy).channel, object: proxy.objectNumber }))
  broadcast(targets, code, body, ({ proxy }) => call(proxy))
  if (clear.length === proxies.length) return
  const done = new Set(clear)
  for (const proxy of proxies) if (!done.has(proxy)) call(proxy)
}
