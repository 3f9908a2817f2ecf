import { Binder, IMemoryService, MemoryFile, Parcel } from '@memsvc/shared'
import { leakChecked } from '@memsvc/shared/test-support'
import { constants, fstat, getSeals } from 'memfd-native'
import t, { type Test } from 'tap'
import { MemoryService, type MemoryServiceOptions } from '../src/memory-service.ts'

leakChecked(t)

/** A service of this process', closed with the test. Calls from here have this process' uid. */
function makeService(t: Test, options: Partial<MemoryServiceOptions> = {}): MemoryService {
  const service = new MemoryService({
    initialValue: 0,
    mayWrite: () => true,
    extensions: new Map(),
    onChange: () => undefined,
    ...options,
  })
  t.teardown(() => service.close())
  return service
}

t.test('the value begins as it is told to, and every int32 can be set', async (t) => {
  t.equal(makeService(t, { initialValue: -7 }).value, -7)
  const service = makeService(t)
  for (const value of [1, -1, 2147483647, -2147483648, 0]) {
    service.setValue(value)
    t.equal(service.value, value)
  }
})

t.test('a change is told, setting the same value again is none', async (t) => {
  let changes = 0
  const service = makeService(t, {
    onChange: () => {
      changes += 1
    },
  })
  for (const value of [0, 5, 5, 6, 5]) service.setValue(value)
  t.equal(changes, 3)
})

t.test('the region is sealed against everybody before anybody has a descriptor of it', async (t) => {
  const region = makeService(t).region.getInt()
  const { F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_FUTURE_WRITE } = constants
  const seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE
  t.equal(getSeals(region) & seals, seals)
  t.match(fstat(region), { size: 4 })
  t.equal(fstat(region).mode & 0o7777, 0o400)
})

t.test('each caller gets a descriptor of his own for reading, and reads what is written later', async (t) => {
  const service = makeService(t)
  using first = service.getFileDescriptor()
  using second = service.getFileDescriptor()
  t.not(first.getFd(), second.getFd())
  t.equal(fstat(first.getFd()).ino, fstat(second.getFd()).ino)
  using view = new MemoryFile(first.getFileDescriptor(), 4, 'r')
  service.setValue(42)
  t.equal(view.readInt32BE(0), 42)
})

t.test('the caller is asked about by his uid; if he may not write, the value stands', async (t) => {
  const asked: number[] = []
  const mayWrite = (uid: number) => {
    asked.push(uid)
    return false
  }
  const service = makeService(t, { mayWrite })
  t.throws(() => service.setValue(1), { code: 'ERR_SECURITY' })
  t.equal(service.value, 0)
  t.strictSame(asked, [process.getuid?.()])
})

t.test('a code of an extension goes there, all others to the service', async (t) => {
  const codes: number[] = []
  class Extension extends Binder {
    override onTransact(code: number): boolean {
      codes.push(code)
      return true
    }
  }
  const service = makeService(t, { extensions: new Map([[1001, new Extension()]]) })
  const [data, reply] = [Parcel.obtain(), Parcel.obtain()]
  t.equal(await service.transact(1001, data, reply), true)
  t.equal(await service.transact(1002, data, reply), false)
  data.writeInterfaceToken(IMemoryService.DESCRIPTOR)
  data.writeInt(3)
  t.equal(await service.transact(IMemoryService.TRANSACTION_setValue, data, reply), true)
  t.strictSame(codes, [1001])
  t.equal(service.value, 3)
  data.recycle()
  reply.recycle()
})

t.test('the last value outlives the service for who has it mapped', async (t) => {
  const service = makeService(t, { initialValue: 9 })
  using descriptor = service.getFileDescriptor()
  using view = new MemoryFile(descriptor.getFileDescriptor(), 4, 'r')
  service.close()
  service.close()
  t.equal(view.readInt32BE(0), 9)
  t.throws(() => service.value, { code: 'ERR_DEACTIVATED' })
})
