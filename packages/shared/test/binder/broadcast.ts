/** One oneway call to many objects: all hear it, in its place among the others, and who cannot be called is told of. */
import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { callAllOneway } from '../../src/binder/broadcast.ts'
import { Binder, BinderProxy, Parcel } from '../../src/index.ts'
import { leakChecked, rawServer, ScriptedBinder, sessionPair, TRANSACTION, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

const CODE = 7

function parcel(t: Test, write: (data: Parcel) => void): Parcel {
  const data = Parcel.obtain()
  t.teardown(() => data.recycle())
  write(data)
  return data
}

function listener(t: Test) {
  const heard: number[] = []
  const { proxy } = sessionPair(t, new ScriptedBinder({ [CODE]: (data) => void heard.push(data.readInt()) }))
  return { heard, proxy }
}

const never = (_proxy: BinderProxy, error: unknown) => {
  throw error
}

t.test('every object is called once, by its own number', async (t) => {
  const listeners = Array.from({ length: 50 }, () => listener(t))
  const proxies = listeners.map(({ proxy }) => proxy)
  callAllOneway(
    proxies,
    CODE,
    parcel(t, (data) => data.writeInt(1)),
    never,
  )
  for (const proxy of proxies) await proxy.pingBinder()
  t.strictSame(
    listeners.map(({ heard }) => heard),
    listeners.map(() => [1]),
  )
})

t.test('objects of one channel are told apart', async (t) => {
  const { peer, client } = rawServer(t)
  await peer.receive() // HELLO
  const proxies = [1, 2].map((number) => new BinderProxy(client, number, false))
  callAllOneway(
    proxies,
    CODE,
    parcel(t, (data) => data.writeInt(5)),
    never,
  )
  const messages = await peer.receiveMessages(2)
  t.match(messages, [
    { kind: TRANSACTION, id: 0, object: 1, code: CODE },
    { kind: TRANSACTION, id: 0, object: 2, code: CODE },
  ])
})

t.test('a channel that does not read gets it later, in its place', async (t) => {
  const { peer, client, proxy } = rawServer(t)
  await peer.receive() // HELLO
  let sent = 0
  while (client.queuedBytes === 0) {
    callAllOneway(
      [proxy],
      CODE,
      parcel(t, (data) => data.writeInt(sent++)),
      never,
    )
  }
  for (let i = 0; i < 3; i++) {
    callAllOneway(
      [proxy],
      CODE,
      parcel(t, (data) => data.writeInt(sent++)),
      never,
    )
  }
  const messages = await peer.receiveMessages(sent)
  t.strictSame(
    messages.map(({ body }) => body.readInt32LE()),
    Array.from({ length: sent }, (_, i) => i),
  )
})

t.test('a message that is longer than a packet arrives nevertheless', async (t) => {
  const bytes = randomBytes(100_000)
  let heard: Buffer | null = null
  const root = new ScriptedBinder({
    [CODE]: (data) => {
      heard = data.readByteArray()
    },
  })
  const { proxy } = sessionPair(t, root)
  callAllOneway(
    [proxy],
    CODE,
    parcel(t, (data) => data.writeByteArray(bytes)),
    never,
  )
  await proxy.pingBinder()
  t.same(heard, bytes)
})

t.test('dead or closed channels are reported; the others get it', async (t) => {
  const [alive, dead, closed] = [listener(t), listener(t), listener(t)]
  dead.proxy.link.close()
  closed.proxy.close()
  const failures = new Map<BinderProxy, unknown>()
  callAllOneway(
    [dead.proxy, alive.proxy, closed.proxy],
    CODE,
    parcel(t, (data) => data.writeInt(3)),
    (proxy, error) => failures.set(proxy, error),
  )
  await alive.proxy.pingBinder()
  t.strictSame(alive.heard, [3])
  t.match(failures.get(dead.proxy), { code: 'ERR_DEAD_OBJECT' })
  t.match(failures.get(closed.proxy), { code: 'ERR_CLOSED' })
  t.equal(failures.size, 2)
})

t.test('one whose end is already gone loses its channel, and nobody else', async (t) => {
  const alive = listener(t)
  const { peer, proxy: gone } = rawServer(t)
  peer.close()
  callAllOneway(
    [gone, alive.proxy],
    CODE,
    parcel(t, (data) => data.writeInt(4)),
    never,
  )
  await alive.proxy.pingBinder()
  t.strictSame(alive.heard, [4])
  t.equal(gone.isBinderAlive(), false)
})

t.test('nothing that belongs to one channel can be told to many', async (t) => {
  const { proxy } = listener(t)
  const data = parcel(t, (data) => data.writeStrongBinder(new Binder()))
  t.throws(() => callAllOneway([proxy], CODE, data, never), { code: 'ERR_ILLEGAL_STATE' })
})
