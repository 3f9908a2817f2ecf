/** Descriptors in calls: outward always, inward only to an object that takes them; each is owned by one side at a time. */
import { closeSync } from 'node:fs'
import { OwnedFd } from 'memfd-native'
import t, { type Test } from 'tap'
import { type BinderProxy, type IBinder, Parcel, ParcelFileDescriptor } from '../../src/index.ts'
import * as support from '../../test-support/index.ts'

const { call, connect, identityOf, leakChecked, ScriptedBinder, sessionPair, startRegistry, watchdog } = support

leakChecked(t)
watchdog(t)

function region(t: Test): ParcelFileDescriptor {
  const pfd = ParcelFileDescriptor.fromData(Buffer.from('content'), 'region') as ParcelFileDescriptor
  t.teardown(() => pfd.close())
  return pfd
}

const write = (pfd: ParcelFileDescriptor) => (data: Parcel) => data.writeFileDescriptor(pfd.getFileDescriptor())
const refused = { code: 'ERR_UNSUPPORTED_OPERATION' }

/** Answers what the descriptor that came leads to. */
const describe = (data: Parcel, reply: Parcel) => {
  const received = data.readFileDescriptor()
  reply.writeString(received === null ? null : identityOf(received.getFd()))
  received?.close()
}

t.test('a service answers descriptors, and the caller owns what it reads', async (t) => {
  const pfd = region(t)
  const { proxy } = sessionPair(t, new ScriptedBinder({ 1: (_data, reply) => write(pfd)(reply) }))
  const received = await call(proxy, 1, { read: (reply) => reply.readFileDescriptor() })
  t.equal(identityOf(received?.getFd() ?? -1), identityOf(pfd.getFd()))
  t.not(received?.getFd(), pfd.getFd())
  received?.close()
  t.equal(pfd.getFileDescriptor().valid(), true, 'the service keeps its own')
})

t.test('a descriptor that the caller does not read is closed with the reply', async (t) => {
  const pfd = region(t)
  const { proxy } = sessionPair(t, new ScriptedBinder({ 1: (_data, reply) => write(pfd)(reply) }))
  await call(proxy, 1)
})

t.test('a reply that is dropped, or recycled before it came, closes its descriptors', async (t) => {
  const pfd = region(t)
  const { proxy } = sessionPair(t, new ScriptedBinder({ 1: (_data, reply) => write(pfd)(reply) }))
  const data = Parcel.obtain()
  await proxy.transact(1, data, null)
  const reply = Parcel.obtain()
  const answer = proxy.transact(1, data, reply)
  reply.recycle()
  await t.rejects(answer, { code: 'ERR_CLOSED' })
  t.equal(await proxy.pingBinder(), true)
  data.recycle()
})

t.test('253 descriptors travel, 254 are refused on either side, and the channel lives', async (t) => {
  const pfd = region(t)
  const many = (parcel: Parcel, count: number) => {
    for (let i = 0; i < count; i++) parcel.writeFileDescriptor(pfd.getFileDescriptor())
  }
  const count = (parcel: Parcel) => {
    let fds = 0
    for (let fd = parcel.readFileDescriptor(); fd !== null; fd = parcel.readFileDescriptor()) {
      fds += 1
      fd.close()
    }
    return fds
  }
  const codes = {
    1: (data: Parcel, reply: Parcel) => many(reply, data.readInt()),
    2: (data: Parcel, reply: Parcel) => reply.writeInt(count(data)),
  }
  const { proxy } = sessionPair(t, new ScriptedBinder(codes, { acceptFileDescriptors: true }))
  t.equal(await call(proxy, 1, { write: (data) => data.writeInt(253), read: count }), 253)
  const { registry } = await startRegistry(t)
  await (await connect(t, registry)).addService('many', new ScriptedBinder(codes))
  const published = (await (await connect(t, registry)).getService('many')) as BinderProxy
  t.equal(await call(published, 1, { write: (data) => data.writeInt(253), read: count }), 253, 'with its limits')
  published.close()
  t.equal(await call(proxy, 2, { write: (data) => many(data, 253), read: (reply) => reply.readInt() }), 253)
  const tooMany = { code: 'ERR_LIMIT', resource: 'descriptors of a message', limit: 253, used: 254 }
  await t.rejects(call(proxy, 1, { write: (data) => data.writeInt(254) }), tooMany)
  await t.rejects(call(proxy, 2, { write: (data) => many(data, 254) }), tooMany)
  t.equal(await proxy.pingBinder(), true)
})

t.test('descriptors to a service that takes none are refused before they are sent', async (t) => {
  const { proxy } = sessionPair(t, new ScriptedBinder({ 1: () => t.fail('called') }))
  await t.rejects(call(proxy, 1, { write: write(region(t)) }), refused)
  await t.rejects(call(proxy, 1, { write: write(region(t)), flags: 1 }), refused)
  t.equal(await proxy.pingBinder(), true)
})

t.test('a service that accepts descriptors gets them', async (t) => {
  const pfd = region(t)
  const { proxy } = sessionPair(t, new ScriptedBinder({ 1: describe }, { acceptFileDescriptors: true }))
  const read = (reply: Parcel) => reply.readString()
  t.equal(await call(proxy, 1, { write: write(pfd), read }), identityOf(pfd.getFd()))
})

t.test('a service that does not look at what it got keeps nothing', async (t) => {
  const { proxy } = sessionPair(t, new ScriptedBinder({ 1: () => true }, { acceptFileDescriptors: true }))
  await call(proxy, 1, { write: write(region(t)) })
  await call(proxy, 1, { write: write(region(t)), flags: 1 })
  await call(proxy, 2, { write: write(region(t)) })
  t.equal(await proxy.pingBinder(), true)
})

t.test('each other object of a service decides for itself', async (t) => {
  const pfd = region(t)
  const open = new ScriptedBinder({ 1: describe }, { acceptFileDescriptors: true })
  const closed = new ScriptedBinder({ 1: describe })
  const objects = { 1: (_data: Parcel, reply: Parcel) => reply.writeBinderArray([open, closed]) }
  const { proxy } = sessionPair(t, new ScriptedBinder(objects, { acceptFileDescriptors: true }))
  const [toOpen, toClosed] = (await call(proxy, 1, { read: (reply) => reply.readBinderArray() })) as [IBinder, IBinder]
  const read = (reply: Parcel) => reply.readString()
  t.equal(await call(toOpen, 1, { write: write(pfd), read }), identityOf(pfd.getFd()))
  await t.rejects(call(toClosed, 1, { write: write(pfd), read }), refused)
})

t.test('an object that accepts descriptors gets none over a socket that does not', async (t) => {
  const open = new ScriptedBinder({ 1: describe }, { acceptFileDescriptors: true })
  const { proxy } = sessionPair(t, new ScriptedBinder({ 1: (_data, reply) => reply.writeStrongBinder(open) }))
  const second = (await call(proxy, 1, { read: (reply) => reply.readStrongBinder() })) as IBinder
  await t.rejects(call(second, 1, { write: write(region(t)) }), refused)
  t.equal(await proxy.pingBinder(), true)
})

t.test('a service sends descriptors to a callback that takes them, and to no other', async (t) => {
  const pfd = region(t)
  const codes = {
    1: async (data: Parcel, reply: Parcel) => {
      const callback = data.readStrongBinder() as IBinder
      reply.writeString(await call(callback, 1, { write: write(pfd), read: (inner) => inner.readString() }))
    },
  }
  const { proxy } = sessionPair(t, new ScriptedBinder(codes))
  const ask = (acceptFileDescriptors: boolean) =>
    call(proxy, 1, {
      write: (data) => data.writeStrongBinder(new ScriptedBinder({ 1: describe }, { acceptFileDescriptors })),
      read: (reply) => (reply.dataSize() > 0 ? reply.readString() : null),
    })
  t.equal(await ask(true), identityOf(pfd.getFd()))
  t.not(await ask(false), identityOf(pfd.getFd()))
})

t.test('a callback cannot answer descriptors to a service that takes none', async (t) => {
  const pfd = region(t)
  const codes = {
    1: async (data: Parcel) => {
      const answer = call(data.readStrongBinder() as IBinder, 1, { read: (reply) => reply.readException() })
      await t.rejects(answer, refused)
    },
  }
  const { proxy } = sessionPair(t, new ScriptedBinder(codes))
  const callback = new ScriptedBinder({ 1: (_data, reply) => write(pfd)(reply) })
  t.equal(await call(proxy, 1, { write: (data) => data.writeStrongBinder(callback) }), true)
})

t.test('a blob that a callback answers stays in the parcel where no descriptor may go', async (t) => {
  const bytes = Buffer.alloc(100_000, 7)
  const codes = {
    1: async (data: Parcel, reply: Parcel) => {
      const callback = data.readStrongBinder() as IBinder
      const blob = await call(callback, 1, { read: (inner) => inner.readBlob() })
      reply.writeBlob(blob)
    },
  }
  const { proxy } = sessionPair(t, new ScriptedBinder(codes))
  const callback = new ScriptedBinder({ 1: (_data, reply) => reply.writeBlob(bytes) })
  const write = (data: Parcel) => data.writeStrongBinder(callback)
  const read = (reply: Parcel) => ({ blob: reply.readBlob(), size: reply.dataSize() })
  const { blob, size } = await call(proxy, 1, { write, read })
  t.ok(blob?.equals(bytes))
  t.ok(size < 100, 'outward it is a region')
})

t.test('a call that fails leaves no descriptor behind', async (t) => {
  const pfd = region(t)
  const serve = (_data: Parcel, reply: Parcel) => {
    write(pfd)(reply)
    throw new RangeError('after the descriptor was written')
  }
  let finish = () => {}
  const gate = new Promise<void>((resolve) => {
    finish = resolve
  })
  const codes = { 1: serve, 2: () => gate }
  const { proxy, server } = sessionPair(t, new ScriptedBinder(codes, { acceptFileDescriptors: true }))
  t.equal(await call(proxy, 1, { write: write(pfd) }), false)
  const unanswered = call(proxy, 2, { write: write(pfd) })
  await proxy.pingBinder()
  server.close()
  await t.rejects(unanswered, { code: 'ERR_DEAD_OBJECT' })
  finish() // a call that has begun keeps its parcel, whoever is left to hear of it
})

t.test('a number that was detached belongs to the caller alone', async (t) => {
  const pfd = region(t)
  const { proxy } = sessionPair(t, new ScriptedBinder({ 1: (_data, reply) => write(pfd)(reply) }))
  const received = await call(proxy, 1, { read: (reply) => reply.readFileDescriptor() as ParcelFileDescriptor })
  const fd = received.detachFd()
  t.equal(identityOf(OwnedFd.adopt(fd).release()), identityOf(pfd.getFd()))
  closeSync(fd)
})
