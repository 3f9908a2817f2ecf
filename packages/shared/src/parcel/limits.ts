/** The limits of a parcel and of the message that carries it, each with where it comes from. */

/** Bytes of a parcel that is sent. Android: the receive buffer, 1 MiB less two pages (libbinder/ProcessState.cpp). */
export const MAX_PARCEL_BYTES = 1024 * 1024 - 2 * 4096

/** Descriptors of a parcel that is sent. Linux: SCM_MAX_FD (include/net/scm.h). */
export const MAX_PARCEL_DESCRIPTORS = 253

/** Objects of a parcel that is sent, descriptors and binders together (docs/protocol.md; our own, never tuned). */
export const MAX_PARCEL_OBJECTS = 4096

/** Bytes up to which a blob stays in its parcel. Android: BLOB_INPLACE_LIMIT (libbinder/Parcel.cpp). */
export const MAX_INLINE_BLOB_BYTES = 16 * 1024

/** Bytes that a descriptor or binder takes in the data. Android: sizeof(flat_binder_object) on 64 bits. */
export const OBJECT_BYTES = 24
