/** Codes and flags of android.os.IBinder. */

export const FIRST_CALL_TRANSACTION = 0x00000001
export const LAST_CALL_TRANSACTION = 0x00ffffff
/** '_PNG' */
export const PING_TRANSACTION = 0x5f504e47
/** '_DMP' */
export const DUMP_TRANSACTION = 0x5f444d50
/** '_NTF' */
export const INTERFACE_TRANSACTION = 0x5f4e5446
/** '_EXT' */
export const EXTENSION_TRANSACTION = 0x5f455854
/** '_ATT', ours: the registry brings a service the end of a new channel. */
export const ATTACH_TRANSACTION = 0x5f415454

/** The caller wants no answer. */
export const FLAG_ONEWAY = 0x00000001
/** The data is secret: wipe it once it is sent. Accepted; a parcel's memory is not kept for others anyway. */
export const FLAG_CLEAR_BUF = 0x00000020
/** Android's advice for the size of a parcel, in bytes. Here it is also the size of a packet. */
export const SUGGESTED_MAX_IPC_BYTES = 64 * 1024
