/**
 * What is wrong with a request is an answer to its caller. To record where it was found takes longer than to serve a call,
 * so it is not recorded, whoever's code reads: a foreign caller can send as many of these as he likes.
 */
import t from 'tap'
import { Binder, defineInterface, errorCode, Parcel, type ParcelType } from '../../src/index.ts'
import { leakChecked, sessionPair } from '../../test-support/index.ts'

leakChecked(t)

interface Case {
  readonly title: string
  readonly write: (data: Parcel) => void
  readonly read: (data: Parcel) => unknown
  readonly code: string
}

const UNKNOWN_BLOB = 77
const callback = new Binder()

const CASES: readonly Case[] = [
  {
    title: 'another interface',
    write: (data) => data.writeInt(1),
    read: (data) => data.enforceInterface('an.Interface'),
    code: 'ERR_SECURITY',
  },
  {
    title: 'more than was asked for',
    write: (data) => data.writeInt(1),
    read: (data) => data.enforceNoDataAvail(),
    code: 'ERR_BAD_PARCEL',
  },
  {
    title: 'a length that cannot be',
    write: (data) => data.writeInt(1_000_000),
    read: (data) => data.readByteArray(),
    code: 'ERR_BAD_PARCEL',
  },
  {
    title: 'a blob of no kind',
    write: (data) => {
      data.writeInt(4)
      data.writeInt(UNKNOWN_BLOB)
    },
    read: (data) => data.readBlob(),
    code: 'ERR_BAD_PARCEL',
  },
  {
    title: 'a blob that is cut off',
    write: (data) => {
      data.writeInt(4)
      data.writeInt(0)
    },
    read: (data) => data.readBlob(),
    code: 'ERR_BAD_PARCEL',
  },
  {
    title: 'a binder where an int is read',
    write: (data) => data.writeStrongBinder(callback),
    read: (data) => data.readInt(),
    code: 'ERR_SECURITY',
  },
  {
    title: 'no descriptor',
    write: (data) => data.writeInt(1),
    read: (data) => data.takeOwnedFd(),
    code: 'ERR_BAD_PARCEL',
  },
]

const hasPlace = (error: unknown) => /\n\s+at /.test((error as Error).stack ?? '')

for (const { title, write, read, code } of CASES) {
  t.test(`${title}: no stack trace in a request, one in a parcel of this process`, async (t) => {
    const errors: unknown[] = []
    class ByHand extends Binder {
      override onTransact(_code: number, data: Parcel): boolean {
        try {
          read(data)
        } catch (error) {
          errors.push(error)
        }
        return true
      }
    }
    const { proxy } = sessionPair(t, new ByHand())
    using data = Parcel.obtain()
    write(data)
    t.equal(await proxy.transact(1, data, null), true)
    t.equal(errorCode(errors[0]), code)
    t.equal(hasPlace(errors[0]), false)
    data.setDataPosition(0)
    try {
      read(data)
    } catch (error) {
      errors.push(error)
    }
    t.equal(errorCode(errors[1]), code)
    t.equal(hasPlace(errors[1]), true)
  })
}

t.test('nor if a user type reads it; errors that the type throws itself have their place', async (t) => {
  const errors: unknown[] = []
  const own: ParcelType<string> = {
    write: (parcel, value) => parcel.writeString(value),
    writeResult: (parcel, value) => parcel.writeString(value),
    read: (parcel) => {
      try {
        if (parcel.readInt() === 1) parcel.readByteArray()
        throw new TypeError('of my own')
      } catch (error) {
        errors.push(error)
        throw error
      }
    },
  }
  const IOwn = defineInterface('test.IOwn', { call: { code: 1, args: [own] } })
  class Service extends IOwn.Stub {
    call(): void {}
  }
  const { proxy } = sessionPair(t, new Service())
  for (const first of [1, 2]) {
    using data = Parcel.obtain()
    data.writeInterfaceToken(IOwn.DESCRIPTOR)
    data.writeInt(first)
    data.writeInt(1_000_000)
    await proxy.transact(1, data, null)
  }
  t.strictSame(errors.map(hasPlace), [false, true])
})
