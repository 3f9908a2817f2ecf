/** Calls through a proxy: what arrives, what comes back, flags, unknown codes, sizes, the codes every object answers. */
import t from 'tap'
import { Binder } from '../../src/binder/binder.ts'
import { Parcel } from '../../src/parcel/parcel.ts'
import { call, leakChecked, ScriptedBinder, sessionPair, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

const MAX_PARCEL = 1_040_384

t.test('codes and flags have the numbers of Android', async (t) => {
  t.equal(Binder.FIRST_CALL_TRANSACTION, 1)
  t.equal(Binder.LAST_CALL_TRANSACTION, 0xffffff)
  t.equal(Binder.PING_TRANSACTION, 1599098439)
  t.equal(Binder.INTERFACE_TRANSACTION, 1598968902)
  t.equal(Binder.DUMP_TRANSACTION, 1598311760)
  t.equal(Binder.FLAG_ONEWAY, 1)
  t.equal(Binder.FLAG_CLEAR_BUF, 0x20)
  t.equal(Binder.getSuggestedMaxIpcSizeBytes(), 65_536)
  t.equal(Binder.flushPendingCommands(), undefined)
})

t.test('a request arrives as it was written, at position 0, and the reply too', async (t) => {
  const { proxy } = sessionPair(
    t,
    new ScriptedBinder({
      7: (data, reply) => {
        t.equal(data.dataPosition(), 0)
        reply.writeString(`${data.readString()}, ${data.readLong()}`)
      },
    }),
  )
  const write = (data: Parcel) => {
    data.writeString('héllo')
    data.writeLong(-1n)
  }
  const read = (reply: Parcel) => [reply.dataPosition(), reply.readString(), reply.dataAvail()]
  t.same(await call(proxy, 7, { write, read }), [0, 'héllo, -1', 0])
})

t.test('the whole request is sent, wherever its position is, and keeps it', async (t) => {
  const { proxy } = sessionPair(t, new ScriptedBinder({ 1: (data, reply) => reply.writeInt(data.dataSize()) }))
  const data = Parcel.obtain()
  const reply = Parcel.obtain()
  data.writeLong(1n)
  data.setDataPosition(4)
  t.equal(await proxy.transact(1, data, reply), true)
  t.equal(data.dataPosition(), 4)
  t.equal(reply.readInt(), 8)
  data.recycle()
  reply.recycle()
})

t.test('a reply parcel is filled anew, whatever it held', async (t) => {
  const { proxy } = sessionPair(t, new ScriptedBinder({ 1: (_data, reply) => reply.writeInt(5) }))
  const data = Parcel.obtain()
  const reply = Parcel.obtain()
  reply.writeString('something longer that was here before')
  await proxy.transact(1, data, reply)
  t.same([reply.dataSize(), reply.dataPosition(), reply.readInt()], [4, 0, 5])
  data.recycle()
  reply.recycle()
})

t.test('a request may be changed or recycled as soon as transact() has returned', async (t) => {
  const { proxy } = sessionPair(t, new ScriptedBinder({ 1: (data, reply) => reply.writeInt(data.readInt()) }))
  const reply = Parcel.obtain()
  const other = Parcel.obtain()
  const data = Parcel.obtain()
  data.writeInt(42)
  const first = proxy.transact(1, data, reply)
  data.setDataPosition(0)
  data.writeInt(0)
  const second = proxy.transact(1, data, other)
  data.recycle()
  await Promise.all([first, second])
  t.same([reply.readInt(), other.readInt()], [42, 0])
  reply.recycle()
  other.recycle()
})

t.test('the reply may be dropped', async (t) => {
  const { proxy } = sessionPair(t, new ScriptedBinder({ 1: (_data, reply) => reply.writeInt(5) }))
  const data = Parcel.obtain()
  t.equal(await proxy.transact(1, data, null), true)
  data.recycle()
})

t.test('flags arrive: ONEWAY as such, the others stay with the caller', async (t) => {
  const seen: number[] = []
  const { proxy } = sessionPair(t, new ScriptedBinder({ 1: (_data, _reply, flags) => seen.push(flags) }))
  await call(proxy, 1)
  await call(proxy, 1, { flags: Binder.FLAG_CLEAR_BUF })
  await call(proxy, 1, { flags: Binder.FLAG_ONEWAY | Binder.FLAG_CLEAR_BUF })
  await proxy.pingBinder()
  t.same(seen, [0, 0, Binder.FLAG_ONEWAY])
})

t.test('codes are 32 bits', async (t) => {
  const { proxy } = sessionPair(t, new ScriptedBinder({ 0: () => true, 4294967295: () => true }))
  t.equal(await call(proxy, 0), true)
  t.equal(await call(proxy, 0xffffffff), true)
  for (const code of [-1, 2 ** 32, 1.5, Number.NaN]) await t.rejects(call(proxy, code), { code: 'ERR_OUT_OF_RANGE' })
  await t.rejects(call(proxy, '1' as unknown as number), { code: 'ERR_INVALID_ARG_TYPE' })
})

t.test('a value that is not a parcel is refused before anything is sent', async (t) => {
  const { proxy } = sessionPair(t, new ScriptedBinder({ 1: () => true }))
  await t.rejects(proxy.transact(1, null as unknown as Parcel, null), { code: 'ERR_NULL_POINTER' })
  await t.rejects(proxy.transact(1, {} as Parcel, null), { code: 'ERR_INVALID_ARG_TYPE' })
  using data = Parcel.obtain()
  await t.rejects(proxy.transact(1, data, {} as Parcel), { code: 'ERR_INVALID_ARG_TYPE' })
  const recycled = Parcel.obtain()
  recycled.recycle()
  await t.rejects(proxy.transact(1, recycled, null), { code: 'ERR_CLOSED' })
  t.equal(await proxy.pingBinder(), true)
})

t.test('an unknown code gives false, from a handler that says so and from none', async (t) => {
  const { proxy } = sessionPair(t, new ScriptedBinder({ 5: () => false }))
  t.equal(await call(proxy, 5), false)
  t.equal(await call(proxy, 6), false)
  t.equal(await call(sessionPair(t, new Binder()).proxy, 1), false)
})

t.test('a reply that was written although the code is unknown does not travel', async (t) => {
  const serve = (_data: Parcel, reply: Parcel) => {
    reply.writeInt(1)
    return false
  }
  const { proxy } = sessionPair(t, new ScriptedBinder({ 5: serve }))
  t.equal(await call(proxy, 5, { read: (reply) => reply.dataSize() }), 0)
})

// --- codes that every object answers ---

t.test('every object answers a ping, without its handler', async (t) => {
  const { proxy } = sessionPair(
    t,
    new ScriptedBinder({
      [Binder.PING_TRANSACTION]: () => {
        throw new Error('asked')
      },
    }),
  )
  t.equal(await proxy.pingBinder(), true)
  t.equal(await call(proxy, Binder.PING_TRANSACTION), true)
})

t.test('the name of the interface is asked once and kept', async (t) => {
  let asked = 0
  class Named extends Binder {
    constructor() {
      super()
      this.attachInterface(null, 'x.INamed')
    }

    override onTransact(code: number, data: Parcel, reply: Parcel, flags: number): boolean | Promise<boolean> {
      asked += 1
      return super.onTransact(code, data, reply, flags)
    }
  }
  const { proxy, client } = sessionPair(t, new Named())
  t.same(await Promise.all([proxy.getInterfaceDescriptor(), proxy.getInterfaceDescriptor()]), ['x.INamed', 'x.INamed'])
  t.equal(asked, 1)
  client.close()
  t.equal(await proxy.getInterfaceDescriptor(), 'x.INamed', 'also after the end')
})

t.test('an object without an interface has no name', async (t) => {
  t.equal(await sessionPair(t, new Binder()).proxy.getInterfaceDescriptor(), null)
})

t.test('a name that could not be asked is asked again', async (t) => {
  const { proxy, client } = sessionPair(t, new Binder())
  const asked = proxy.getInterfaceDescriptor()
  client.close()
  await t.rejects(asked, { code: 'ERR_DEAD_OBJECT' })
  await t.rejects(proxy.getInterfaceDescriptor(), { code: 'ERR_DEAD_OBJECT' })
})

t.test('a proxy has no local interface', async (t) => {
  const root = new Binder()
  root.attachInterface({ asBinder: () => root }, 'x.I')
  t.equal(sessionPair(t, root).proxy.queryLocalInterface('x.I'), null)
})

// --- sizes ---

const echo = () =>
  new ScriptedBinder({
    1: (data, reply) => reply.appendFrom(data, 0, data.dataSize()),
    2: (data, reply) => reply.setDataSize(data.readInt()),
  })

t.test('requests and replies up to 1 MiB - 8 KiB arrive', async (t) => {
  const { proxy } = sessionPair(t, echo())
  for (const size of [0, 4, 65_500, 65_504, 65_508, MAX_PARCEL - 4, MAX_PARCEL]) {
    const bytes = Buffer.alloc(size, size)
    const write = (data: Parcel) => data.unmarshall(bytes, 0, size)
    t.ok((await call(proxy, 1, { write, read: (reply) => reply.marshall() })).equals(bytes), `${size} bytes`)
  }
})

t.test('a longer request is refused here, a longer reply there, and the channel lives', async (t) => {
  const { proxy } = sessionPair(t, echo())
  for (const size of [MAX_PARCEL + 4, 2 * MAX_PARCEL, 2 ** 31 - 4]) {
    const tooLarge = { code: 'ERR_TRANSACTION_TOO_LARGE' }
    if (size < 2 ** 30) await t.rejects(call(proxy, 1, { write: (data) => data.setDataSize(size) }), tooLarge)
    else await t.rejects(call(proxy, 1, { write: (data) => data.setDataPosition(size) }), tooLarge)
    if (size < 2 ** 30) await t.rejects(call(proxy, 2, { write: (data) => data.writeInt(size) }), tooLarge)
    t.equal(await proxy.pingBinder(), true)
  }
})

t.test('calls overlap, and each gets its own reply', async (t) => {
  const gates: (() => void)[] = []
  const { proxy } = sessionPair(
    t,
    new ScriptedBinder({
      1: async (data, reply) => {
        const value = data.readInt()
        await new Promise<void>((resolve) => gates.push(resolve))
        reply.writeInt(value * 10)
      },
      2: () => {
        for (const open of gates.reverse()) open()
      },
    }),
  )
  const ask = (value: number) =>
    call(proxy, 1, { write: (data) => data.writeInt(value), read: (reply) => reply.readInt() })
  const answers = [ask(1), ask(2), ask(3)]
  await call(proxy, 2)
  t.same(await Promise.all(answers), [10, 20, 30])
})
