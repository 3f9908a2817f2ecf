import { Binder, IBinder, type IInterface, Parcel, ParcelFileDescriptor } from '@memsvc/shared'

export interface IMemoryService extends IInterface {
  getFileDescriptor(): ParcelFileDescriptor | null | Promise<ParcelFileDescriptor | null>
  setValue(val: number): void | Promise<void>
}

const DESCRIPTOR = 'shy.luo.ashmem.IMemoryService'

export abstract class Stub extends Binder implements IMemoryService {
  constructor() {
    super()
    this.attachInterface(this, DESCRIPTOR)
  }

  static asInterface(obj: IBinder | null): IMemoryService | null {
    if (obj == null) {
      return null
    }

    const iin = obj.queryLocalInterface(DESCRIPTOR)
    if (iin != null && iin instanceof Stub) {
      return iin
    }

    return new MemoryServiceProxy(obj)
  }

  asBinder(): IBinder {
    return this
  }

  override onTransact(code: number, data: Parcel, reply: Parcel, flags: number): boolean {
    switch (code) {
      case IBinder.INTERFACE_TRANSACTION: {
        reply.writeString(DESCRIPTOR)
        return true
      }
      case TRANSACTION_getFileDescriptor: {
        data.enforceInterface(DESCRIPTOR)

        const result = this.getFileDescriptor()

        reply.writeNoException()

        if (result != null) {
          reply.writeInt(1)
          result.writeToParcel(reply, 0)
        } else {
          reply.writeInt(0)
        }

        return true
      }
      case TRANSACTION_setValue: {
        data.enforceInterface(DESCRIPTOR)

        const val = data.readInt()
        this.setValue(val)

        reply.writeNoException()

        return true
      }
    }

    return super.onTransact(code, data, reply, flags)
  }

  abstract getFileDescriptor(): ParcelFileDescriptor | null
  abstract setValue(val: number): void
}

class MemoryServiceProxy implements IMemoryService {
  #mRemote: IBinder

  constructor(remote: IBinder) {
    this.#mRemote = remote
  }

  asBinder(): IBinder {
    return this.#mRemote
  }

  getInterfaceDescriptor(): string {
    return DESCRIPTOR
  }

  async getFileDescriptor(): Promise<ParcelFileDescriptor | null> {
    const data = Parcel.obtain()
    const reply = Parcel.obtain()

    let result: ParcelFileDescriptor | null

    try {
      data.writeInterfaceToken(DESCRIPTOR)

      await this.#mRemote.transact(TRANSACTION_getFileDescriptor, data, reply, 0)

      reply.readException()
      if (0 !== reply.readInt()) {
        result = ParcelFileDescriptor.CREATOR.createFromParcel(reply)
      } else {
        result = null
      }
    } finally {
      reply.recycle()
      data.recycle()
    }

    return result
  }

  async setValue(val: number): Promise<void> {
    const data = Parcel.obtain()
    const reply = Parcel.obtain()

    try {
      data.writeInterfaceToken(DESCRIPTOR)
      data.writeInt(val)

      await this.#mRemote.transact(TRANSACTION_setValue, data, reply, 0)

      reply.readException()
    } finally {
      reply.recycle()
      data.recycle()
    }
  }
}

const TRANSACTION_getFileDescriptor = IBinder.FIRST_CALL_TRANSACTION + 0
const TRANSACTION_setValue = IBinder.FIRST_CALL_TRANSACTION + 1
