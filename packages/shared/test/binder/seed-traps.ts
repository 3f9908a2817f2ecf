/** The traps of Android's text, line by line: what it says without await, with flags 0, with super, by statics and constants. */
import t, { type Test } from 'tap'
import * as api from '../../src/index.ts'
import { leakChecked, runProgram, sessionPair, startRegistry, watchdog } from '../../test-support/index.ts'

const { Binder, IBinder, MemoryFile, Parcel, Parcelable, ParcelFileDescriptor } = api

leakChecked(t)
watchdog(t)

class Echo extends Binder {
  override onTransact(code: number, data: api.Parcel, reply: api.Parcel, flags: number): boolean {
    switch (code) {
      case IBinder.FIRST_CALL_TRANSACTION + 0: {
        reply.writeInt(data.readInt())
        return true
      }
    }
    return super.onTransact(code, data, reply, flags)
  }
}

t.test('the constants are values, and those of Binder', (t) => {
  for (const name of Object.keys(IBinder) as (keyof typeof IBinder)[]) t.equal(IBinder[name], Binder[name], name)
  t.equal(IBinder.FIRST_CALL_TRANSACTION, 1)
  t.same({ ...Parcelable }, { CONTENTS_FILE_DESCRIPTOR: 1, PARCELABLE_WRITE_RETURN_VALUE: 1 })
  t.end()
})

t.test('the reply of a pending transact says what is missing, and is filled in when it has come', async (t) => {
  const { proxy } = sessionPair(t, new Echo())
  const [data, reply] = [Parcel.obtain(), Parcel.obtain()]
  data.writeInt(42)
  const pending = proxy.transact(1, data, reply)
  const forgotten = { code: 'ERR_ILLEGAL_STATE', message: /await transact first/ }
  for (const use of [
    () => reply.readException(),
    () => reply.readInt(),
    () => reply.writeInt(1),
    () => reply.dataSize(),
    () => reply.setDataPosition(0),
    () => reply.marshall(),
  ]) {
    t.throws(use, forgotten)
  }
  t.equal(await pending, true)
  t.equal(reply.readInt(), 42)
  t.equal(await proxy.transact(99, data, reply), false)
  t.equal(reply.dataAvail(), 0)
  data.recycle()
  reply.recycle()
})

t.test('one reply for two calls waits for both', async (t) => {
  const { proxy } = sessionPair(t, new Echo())
  const [data, reply] = [Parcel.obtain(), Parcel.obtain()]
  data.writeInt(1)
  const calls = [proxy.transact(1, data, reply), proxy.transact(1, data, reply)]
  await Promise.all(calls)
  t.equal(reply.readInt(), 1)
  data.recycle()
  reply.recycle()
})

t.test('a reply is free again when its call was given up, or could not be made', async (t) => {
  const { proxy, client } = sessionPair(t, new Echo())
  const [data, reply] = [Parcel.obtain(), Parcel.obtain()]
  const aborter = new AbortController()
  const call = proxy.transact(1, data, reply, 0, { signal: aborter.signal })
  aborter.abort()
  await t.rejects(call, { code: 'ABORT_ERR' })
  reply.writeInt(5)
  await t.rejects(proxy.transact(1, data, reply, 0, { signal: AbortSignal.abort() }), { code: 'ABORT_ERR' })
  client.close()
  await t.rejects(proxy.transact(1, data, reply), { code: 'ERR_DEAD_OBJECT' })
  t.equal(reply.dataSize(), 4)
  data.recycle()
  reply.recycle()
})

t.test("the seed's text without await ends with that error, and with no other", async (t) => {
  const { proxy } = sessionPair(t, new Echo())
  const getValue = () => {
    const data = Parcel.obtain()
    const reply = Parcel.obtain()
    try {
      data.writeInt(7)
      void proxy.transact(1, data, reply, 0)
      reply.readException()
      return reply.readInt()
    } finally {
      reply.recycle()
      data.recycle()
    }
  }
  t.throws(getValue, { code: 'ERR_ILLEGAL_STATE', message: /await transact first/ })
  t.equal(await proxy.pingBinder(), true, 'no rejection that nobody handles has ended the process')
})

/** As in the sample: the file's own, with flags 0. */
class Sample extends Binder {
  readonly file = new MemoryFile('Ashmem', 4)

  override onTransact(code: number, data: api.Parcel, reply: api.Parcel, flags: number): boolean {
    if (code !== 1) return super.onTransact(code, data, reply, flags)
    const result = this.file.getParcelFileDescriptor()
    reply.writeNoException()
    if (result != null) {
      reply.writeInt(1)
      result.writeToParcel(reply, 0)
    } else reply.writeInt(0)
    return true
  }
}

async function getDescriptor(t: Test, proxy: api.BinderProxy): Promise<api.ParcelFileDescriptor> {
  const [data, reply] = [Parcel.obtain(), Parcel.obtain()]
  t.equal(await proxy.transact(1, data, reply), true)
  reply.readException()
  t.equal(reply.readInt(), 1)
  const descriptor = ParcelFileDescriptor.CREATOR.createFromParcel(reply)
  data.recycle()
  reply.recycle()
  return descriptor
}

t.test("the file's descriptor, written as in the sample, leaves nothing open", async (t) => {
  const service = new Sample()
  const { proxy } = sessionPair(t, service)
  for (let i = 0; i < 50; i++) {
    const descriptor = await getDescriptor(t, proxy)
    const view = new MemoryFile(descriptor.getFileDescriptor(), 4, 'r')
    service.file.writeInt32BE(0, i)
    t.equal(view.readInt32BE(0), i)
    view.close()
  }
  service.file.close()
  // leakChecked counts the descriptors: fifty would be open here.
})

t.test('it is a descriptor of its own all the same', (t) => {
  const file = new MemoryFile('own', 4)
  const own = file.getFileDescriptor().getInt()
  const [numbered, later, closed] = [1, 2, 3].map(() => file.getParcelFileDescriptor()) as [
    api.ParcelFileDescriptor,
    api.ParcelFileDescriptor,
    api.ParcelFileDescriptor,
  ]
  t.not(numbered.getFd(), own)
  closed.close()
  t.equal(file.getFileDescriptor().valid(), true)
  file.writeInt32BE(0, 9)
  file.close()
  for (const each of [numbered, later]) {
    const view = new MemoryFile(each.getFileDescriptor(), 4, 'r')
    t.equal(view.readInt32BE(0), 9)
    view.close()
  }
  t.throws(() => file.getParcelFileDescriptor(), { code: 'ERR_DEACTIVATED' })
  t.end()
})

t.test('one of them that is written and forgotten leaves the others as they are', async (t) => {
  const file = new MemoryFile('own', 4)
  const all = Array.from({ length: 3 }, () => file.getParcelFileDescriptor())
  using parcel = api.Parcel.obtain()
  all[1]?.writeToParcel(parcel, 0)
  file.close()
  const isValid = (pfd: api.ParcelFileDescriptor | undefined) => pfd?.getFileDescriptor().valid()
  t.same([isValid(all[0]), isValid(all[2])], [true, true])
  for (const each of all) each.close()
})

t.test('statics have a connection of their own', async (t) => {
  const { registry } = await startRegistry(t)
  const program = new URL('../../test-support/fixtures/uses-statics.js', import.meta.url).pathname
  const { code, stdout, stderr } = await runProgram(program, [], { env: { MEMSVC_REGISTRY: registry } })
  t.same({ code, stdout, stderr }, { code: 0, stdout: '["mine"]\nown\nnull', stderr: '' })
  const missing = await runProgram(program, [], { env: { MEMSVC_REGISTRY: `${registry}.none` } })
  t.match(missing, { code: 1, stderr: /ERR_REGISTRY_UNAVAILABLE/ })
})
