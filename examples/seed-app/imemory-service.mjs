/**
 * shy.luo.ashmem.IMemoryService by hand, as the sample has it: Stub unpacks calls in the service's process, Proxy packs
 * them in the caller's. `defineInterface` makes the same two classes from a table of two lines.
 */
import { Binder, PARCELABLE_WRITE_RETURN_VALUE, Parcel, ParcelFileDescriptor } from '@memsvc/shared'

const DESCRIPTOR = 'shy.luo.ashmem.IMemoryService'
const TRANSACTION_getFileDescriptor = Binder.FIRST_CALL_TRANSACTION + 0
const TRANSACTION_setValue = Binder.FIRST_CALL_TRANSACTION + 1

class Stub extends Binder {
  constructor() {
    super()
    this.attachInterface(this, DESCRIPTOR)
  }

  /** The service itself in its own process, a proxy in any other. */
  static asInterface(binder) {
    return binder.queryLocalInterface(DESCRIPTOR) ?? new MemoryServiceProxy(binder)
  }

  asBinder() {
    return this
  }

  onTransact(code, data, reply, flags) {
    switch (code) {
      case TRANSACTION_getFileDescriptor:
        data.enforceInterface(DESCRIPTOR)
        writeDescriptor(reply, this.getFileDescriptor())
        return true
      case TRANSACTION_setValue:
        data.enforceInterface(DESCRIPTOR)
        this.setValue(data.readInt())
        reply.writeNoException()
        return true
      default:
        return super.onTransact(code, data, reply, flags)
    }
  }
}

/** The sample's flags are 0: it hands out the file's own descriptor. This one is made for the caller, and closed here. */
function writeDescriptor(reply, descriptor) {
  reply.writeNoException()
  reply.writeInt(descriptor === null ? 0 : 1)
  descriptor?.writeToParcel(reply, PARCELABLE_WRITE_RETURN_VALUE)
}

class MemoryServiceProxy {
  #remote

  constructor(remote) {
    this.#remote = remote
  }

  asBinder() {
    return this.#remote
  }

  /** A descriptor of the region, the caller's to close; null if the service has none. */
  getFileDescriptor() {
    return this.#call(
      TRANSACTION_getFileDescriptor,
      () => {},
      (reply) => (reply.readInt() === 0 ? null : ParcelFileDescriptor.CREATOR.createFromParcel(reply)),
    )
  }

  setValue(value) {
    return this.#call(
      TRANSACTION_setValue,
      (data) => data.writeInt(value),
      () => {},
    )
  }

  async #call(code, writeArguments, readResult) {
    const data = Parcel.obtain()
    const reply = Parcel.obtain()
    try {
      data.writeInterfaceToken(DESCRIPTOR)
      writeArguments(data)
      const isKnown = await this.#remote.transact(code, data, reply, 0)
      if (!isKnown) throw new Error(`the service does not know code ${code}`)
      reply.readException()
      return readResult(reply)
    } finally {
      reply.recycle()
      data.recycle()
    }
  }
}

export const IMemoryService = { DESCRIPTOR, Stub, Proxy: MemoryServiceProxy }
