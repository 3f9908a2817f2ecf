/** Exceptions and interface tokens: what requests and replies begin with. */
import { spawnSync } from 'node:child_process'
import t from 'tap'
import { Parcel } from '../../src/parcel/parcel.ts'
import * as errors from '../../src/util/errors.ts'
import { leakChecked } from '../../test-support/index.ts'

leakChecked(t)

/** What is written, Android's number, and what is read. */
const TRAVELS: [written: Error, number: number, read: new (message?: string) => Error][] = [
  [new errors.SecurityError('m'), -1, errors.SecurityError],
  [new errors.BadParcelError('m'), -2, errors.BadParcelError],
  [new errors.InvalidArgValueError('m'), -3, errors.InvalidArgValueError],
  [new errors.InvalidArgTypeError('m'), -3, errors.InvalidArgValueError],
  [new errors.NullPointerError('m'), -4, errors.NullPointerError],
  [new errors.IllegalStateError('m'), -5, errors.IllegalStateError],
  [new errors.UnsupportedOperationError('m'), -7, errors.UnsupportedOperationError],
  [new errors.ReadOnlyError('m'), -7, errors.UnsupportedOperationError],
]

function thrownBy(call: () => void): Error & { code?: string } {
  try {
    call()
  } catch (error) {
    return error as Error
  }
  throw new Error('nothing was thrown')
}

for (const [written, number, ReadClass] of TRAVELS) {
  t.test(`${written.name} travels as ${number} and arrives as ${ReadClass.name}`, async (t) => {
    using p = Parcel.obtain()
    p.writeException(written)
    p.writeInt(7)
    p.setDataPosition(0)
    t.equal(p.readInt(), number)
    t.equal(p.readString(), 'm')
    t.equal(p.readInt(), 0, 'no stack trace')
    p.setDataPosition(0)
    const read = thrownBy(() => p.readException())
    t.ok(read instanceof ReadClass)
    t.equal(read.code, errors.errorCode(new ReadClass()))
    t.equal(read.message, 'm')
    t.equal(p.readInt(), 7, 'what follows is next')
  })
}

t.test('a service specific error brings its number along', async (t) => {
  using p = Parcel.obtain()
  p.writeException(new errors.ServiceSpecificError(-42, 'mine'))
  p.setDataPosition(0)
  t.throws(() => p.readException(), { code: 'ERR_SERVICE_SPECIFIC', errorCode: -42, message: 'mine' })
  t.equal(p.dataAvail(), 0)
})

t.test('the code decides, not the class', async (t) => {
  using p = Parcel.obtain()
  p.writeException({ code: 'ERR_SERVICE_SPECIFIC', errorCode: 3 })
  p.writeException(Object.assign(new Error('no'), { code: 'ERR_SECURITY' }))
  p.setDataPosition(0)
  const first = thrownBy(() => p.readException())
  t.ok(first instanceof errors.ServiceSpecificError)
  t.equal(first.message, '', 'no message is null on the way')
  t.throws(() => p.readException(), { code: 'ERR_SECURITY', message: 'no' })
})

const LOCAL_ONLY: Record<string, unknown> = {
  'an error without code': new Error('plain'),
  'an error with a code of another kind': Object.assign(new Error(), { code: -1 }),
  ERR_OUT_OF_RANGE: new errors.OutOfRangeError('m'),
  ERR_CLOSED: new errors.ClosedError('m'),
  ERR_DEACTIVATED: new errors.DeactivatedError('m'),
  ERR_DEAD_OBJECT: new errors.DeadObjectError('m'),
  ERR_LIMIT: new errors.LimitError('r', 1, 2),
  ENOENT: Object.assign(new Error(), { code: 'ENOENT' }),
  'a string': 'no error at all',
}

for (const [name, error] of Object.entries(LOCAL_ONLY)) {
  t.test(`${name} is thrown as it is, and not written`, async (t) => {
    using p = Parcel.obtain()
    t.equal(
      thrownBy(() => p.writeException(error)),
      error,
    )
    t.equal(p.dataSize(), 0)
  })
}

t.test('a value that is not an error is refused', async (t) => {
  using p = Parcel.obtain()
  t.throws(() => p.writeException(null), { code: 'ERR_NULL_POINTER' })
  t.throws(() => p.writeException({ code: 'ERR_SERVICE_SPECIFIC' }), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => p.writeException({ code: 'ERR_SERVICE_SPECIFIC', errorCode: 2 ** 31 }), { code: 'ERR_OUT_OF_RANGE' })
  t.equal(p.dataSize(), 0)
})

for (const number of [1, -6, -9, -10, -129, 2 ** 31 - 1]) {
  t.test(`the number ${number} is a remote error that says so`, async (t) => {
    using p = Parcel.obtain()
    p.writeInt(number)
    p.writeString('what')
    p.writeInt(0)
    p.setDataPosition(0)
    t.throws(() => p.readException(), {
      code: 'ERR_REMOTE_ERROR',
      message: `Unknown exception code: ${number} msg what`,
    })
  })
}

t.test('no exception reads as none', async (t) => {
  using p = Parcel.obtain()
  p.writeNoException()
  p.writeInt(7)
  p.setDataPosition(0)
  p.readException()
  t.equal(p.readInt(), 7)
})

t.test('a stack trace is skipped', async (t) => {
  using p = Parcel.obtain()
  p.writeInt(-8)
  p.writeString('m')
  p.writeInt(4 + 8)
  p.writeLong(-1n)
  p.writeInt(5)
  p.setDataPosition(0)
  t.throws(() => p.readException(), { code: 'ERR_SERVICE_SPECIFIC', errorCode: 5 })
})

t.test('diagnostics that Android puts before the code are skipped', async (t) => {
  using p = Parcel.obtain()
  p.writeIntArray([]) // moves the reply off the beginning
  p.writeInt(-127)
  p.writeInt(8)
  p.writeInt(-1)
  p.writeInt(-1)
  p.writeString('m')
  p.writeInt(0)
  p.writeInt(-128)
  p.writeInt(8)
  p.writeInt(-1)
  p.writeInt(7)
  p.setDataPosition(4)
  t.throws(() => p.readException(), { code: 'ERR_SECURITY', message: 'm' })
  p.readException()
  t.equal(p.readInt(), 7)
})

for (const size of [-1, 1, 3, 100, 2 ** 31 - 1]) {
  t.test(`a stack trace of ${size} bytes where 8 are left is refused`, async (t) => {
    using p = Parcel.obtain()
    p.writeInt(-1)
    p.writeString('m')
    p.writeInt(size)
    p.writeInt(0)
    p.setDataPosition(0)
    t.throws(() => p.readException(), { code: 'ERR_BAD_PARCEL' })
  })
}

t.test('enforceInterface passes the interface that was named and no other', async (t) => {
  using p = Parcel.obtain()
  p.writeInterfaceToken('shy.luo.ashmem.IMemoryService')
  p.writeInt(7)
  p.setDataPosition(0)
  p.enforceInterface('shy.luo.ashmem.IMemoryService')
  t.equal(p.readInt(), 7)
  for (const other of ['', 'shy.luo.ashmem.IMemoryServic', 'shy.luo.ashmem.IMemoryService2']) {
    p.setDataPosition(0)
    t.throws(() => p.enforceInterface(other), { code: 'ERR_SECURITY', message: /incorrect interface/ })
  }
})

t.test('enforceInterface refuses what is no token', async (t) => {
  const noTokens: ((p: Parcel) => void)[] = [
    () => {},
    (p) => p.writeString('a.B'),
    (p) => {
      for (const word of [0, -1, 0x564e4452]) p.writeInt(word)
      p.writeString('a.B')
    },
    (p) => {
      for (const word of [0, -1, 0x53595354]) p.writeInt(word)
      p.writeString(null)
    },
  ]
  for (const write of noTokens) {
    using p = Parcel.obtain()
    write(p)
    p.setDataPosition(0)
    t.throws(() => p.enforceInterface('a.B'), { code: 'ERR_SECURITY' })
  }
})

t.test('an interface without a name has a token like any other', async (t) => {
  // In a process of its own: the first name that is asked for is a case for itself.
  const shared = new URL('../../src/parcel/parcel.js', import.meta.url)
  const script = `const { Parcel } = await import(process.argv[1])
    const [p, q] = [Parcel.obtain(), Parcel.obtain()]
    p.writeInterfaceToken('')
    q.writeInt(1)
    q.setDataPosition(0)
    try { q.enforceInterface(''); console.log('no token is taken') } catch (error) { console.log(p.dataSize(), error.code) }`
  t.equal(
    spawnSync(process.execPath, ['--input-type=module', '-e', script, shared.href], { encoding: 'utf8' }).stdout,
    '20 ERR_SECURITY\n',
  )
})

t.test('policy and work source of a token are not looked at', async (t) => {
  using p = Parcel.obtain()
  for (const word of [-(2 ** 31), 1000, 0x53595354]) p.writeInt(word)
  p.writeString('a.B')
  p.setDataPosition(0)
  p.enforceInterface('a.B')
  t.equal(p.dataAvail(), 0)
})
