/** Whether requests to a binder may carry descriptors. */
export const acceptsFileDescriptors: unique symbol = Symbol('acceptsFileDescriptors')

/** All that a parcel needs of a binder that lies in it. The whole of it is `IBinder`. */
export interface CarriedBinder {
  /** Whether requests to this object may carry descriptors. */
  readonly [acceptsFileDescriptors]: boolean
}
