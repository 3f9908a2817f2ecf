/** Sends a value to the owner of a store: in one call, or in parts if it is too long for one call. */
import type { IBinder } from '../parcel/ibinder.ts'
import { IStore, type Outcome } from './store-interface.ts'
import { INLINE_BYTES, type Step, type UploadRequest, upload } from './upload.ts'

/** The value to store, and the deadline of each answer. */
export interface Put extends UploadRequest {
  readonly step: Step
}

/** @param binder the owner, in another process. @throws as IStore; what `step` throws */
export async function putValue(binder: IBinder, put: Put): Promise<Outcome> {
  const store = new IStore.Proxy(binder)
  const { key, value, ifVersion, ttlMs, step } = put
  const { length } = value.bytes
  if (length <= INLINE_BYTES) return step(store.set(key, value.type, value.bytes, ifVersion, ttlMs), length)
  return upload(store, put)
}
