/** A binder that is sent and sent back is the same object; the same remote object is the same proxy, per channel. */
import t, { type Test } from 'tap'
import { Binder, BinderProxy, type IBinder, type Parcel } from '../../src/index.ts'
import { acceptsFileDescriptors } from '../../src/parcel/ibinder.ts'
import { call, leakChecked, ScriptedBinder, sessionPair, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

const GIVE = 1
const KEEP = 2
const GIVE_BACK = 3
const GIVE_ITSELF = 4

/** Gives one object of its own again and again, and keeps one of the caller's. */
class Exchange extends ScriptedBinder {
  readonly own = new Binder()
  kept: (IBinder | null)[] = []

  constructor() {
    super({
      [GIVE]: (_data, reply) => reply.writeStrongBinder(this.own),
      [KEEP]: (data) => this.kept.push(data.readStrongBinder()),
      [GIVE_BACK]: (_data, reply) => reply.writeStrongBinder(this.kept.at(-1) ?? null),
      [GIVE_ITSELF]: (_data, reply) => reply.writeStrongBinder(this),
    })
  }
}

const take = (binder: IBinder, code: number) => call(binder, code, { read: (reply) => reply.readStrongBinder() })
const give = (binder: IBinder, given: IBinder | null) =>
  call(binder, KEEP, { write: (data) => data.writeStrongBinder(given) })

function exchange(t: Test) {
  const service = new Exchange()
  return { service, ...sessionPair(t, service) }
}

t.test('the same remote object is the same proxy, whenever it comes', async (t) => {
  const { proxy } = exchange(t)
  const first = await take(proxy, GIVE)
  t.type(first, BinderProxy)
  t.equal(await take(proxy, GIVE), first)
  t.not(first, proxy)
})

t.test('twice in one parcel it is the same too', async (t) => {
  const twice = new Binder()
  const { proxy } = sessionPair(
    t,
    new ScriptedBinder({ 1: (_data, reply) => reply.writeBinderArray([twice, null, twice]) }),
  )
  const [first, nothing, second] = (await call(proxy, 1, { read: (reply) => reply.readBinderArray() })) ?? []
  t.type(first, BinderProxy)
  t.equal(first, second)
  t.equal(nothing, null)
})

t.test('the service sent by itself is the proxy that it was reached by', async (t) => {
  const { proxy, client } = exchange(t)
  t.equal(await take(proxy, GIVE_ITSELF), proxy)
  t.equal(client.root, proxy)
  t.equal(await proxy.pingBinder(), true)
})

t.test('a proxy that is sent home is the object itself', async (t) => {
  const { proxy, service } = exchange(t)
  await give(proxy, await take(proxy, GIVE))
  t.equal(service.kept[0], service.own)
  await give(proxy, proxy)
  t.equal(service.kept[1], service, 'object 0, too')
})

t.test('a callback comes to the service as one proxy, and home as itself', async (t) => {
  const { proxy, service } = exchange(t)
  const callback = new Binder()
  await give(proxy, callback)
  await give(proxy, callback)
  t.equal(service.kept[0], service.kept[1])
  t.equal(await take(proxy, GIVE_BACK), callback)
})

t.test('null is a binder that is not there', async (t) => {
  const { proxy, service } = exchange(t)
  await give(proxy, null)
  t.same(service.kept, [null])
  t.equal(await take(proxy, GIVE_BACK), null)
})

t.test('on another channel the same object is another proxy', async (t) => {
  const { proxy, service } = exchange(t)
  const other = sessionPair(t, service)
  t.not(await take(proxy, GIVE), await take(other.proxy, GIVE))
  await give(proxy, callback)
  await give(other.proxy, callback)
  t.not(service.kept[0], service.kept[1])
})
const callback = new Binder()

t.test('a proxy of another channel cannot be sent, and the channel lives', async (t) => {
  const { proxy } = exchange(t)
  const other = exchange(t)
  const foreign = await take(other.proxy, GIVE)
  const refusal = { code: 'ERR_UNSUPPORTED_OPERATION' }
  await t.rejects(give(proxy, foreign), refusal)
  await t.rejects(give(proxy, other.proxy), refusal)
  t.equal(await proxy.pingBinder(), true)
})

t.test('a reply with a proxy of another channel is refused to the caller', async (t) => {
  const other = exchange(t)
  const foreign = await take(other.proxy, GIVE)
  const { proxy } = sessionPair(t, new ScriptedBinder({ 1: (_data, reply) => reply.writeStrongBinder(foreign) }))
  await t.rejects(call(proxy, 1, { read: (reply: Parcel) => reply.readException() }), {
    code: 'ERR_UNSUPPORTED_OPERATION',
  })
})

t.test('a proxy that was closed is not sent, and the channel lives', async (t) => {
  const { proxy } = exchange(t)
  const closed = (await take(proxy, GIVE)) as BinderProxy
  closed.close()
  await t.rejects(give(proxy, closed), { code: 'ERR_CLOSED' })
  t.equal(await proxy.pingBinder(), true)
})

t.test('a refused parcel gives back the binders before the one that was wrong', async (t) => {
  const { proxy, service } = exchange(t)
  const foreign = exchange(t).proxy
  const own = new Binder()
  const write = (data: Parcel) => data.writeBinderArray([own, own, foreign])
  await t.rejects(call(proxy, KEEP, { write }), { code: 'ERR_UNSUPPORTED_OPERATION' })
  await give(proxy, own)
  t.type(service.kept[0], BinderProxy, 'sent anew, under a new number')
})

t.test('whether an object accepts descriptors travels with it', async (t) => {
  for (const acceptFileDescriptors of [false, true]) {
    const given = new Binder({ acceptFileDescriptors })
    const codes = { 1: (_data: Parcel, reply: Parcel) => reply.writeStrongBinder(given) }
    const { proxy } = sessionPair(t, new ScriptedBinder(codes, { acceptFileDescriptors: true }))
    t.equal((await take(proxy, 1))?.[acceptsFileDescriptors], acceptFileDescriptors)
  }
})

t.test('an object that is not a Binder of this library cannot be sent', async (t) => {
  const { proxy } = exchange(t)
  const impostor = { [acceptsFileDescriptors]: true } as IBinder
  await t.rejects(give(proxy, impostor), { code: 'ERR_INVALID_ARG_TYPE' })
})
