/** Death links: told once for each time they were linked, when the process at the other end is gone. */

import t, { type Test } from 'tap'
import { Session } from '../../src/binder/session.ts'
import { makeChannelPair } from '../../src/channel/channel-pair.ts'
import { Binder, BinderProxy, type DeathRecipient, type IBinder, type Parcel } from '../../src/index.ts'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)
support.watchdog(t)

/** Writes down whose death it was told. */
class Mourner implements DeathRecipient {
  readonly told: IBinder[] = []
  #wake = (): void => {}

  binderDied(who: IBinder): void {
    this.told.push(who)
    this.#wake()
  }

  async toldTimes(count: number): Promise<void> {
    while (this.told.length < count) {
      await support.awake(
        new Promise<void>((resolve) => {
          this.#wake = resolve
        }),
      )
    }
  }
}

/** A client whose service is bytes that can be closed: as a process that dies. */
function dying(t: Test) {
  const { proxy, peer, client } = support.rawServer(t)
  return { proxy, client, kill: () => peer.close() }
}

t.test('a recipient is told when the peer is gone, of the proxy it was linked to', async (t) => {
  const { proxy, kill } = dying(t)
  const mourner = new Mourner()
  proxy.linkToDeath(mourner)
  t.equal(proxy.isBinderAlive(), true)
  kill()
  await mourner.toldTimes(1)
  t.equal(mourner.told[0], proxy)
  t.equal(proxy.isBinderAlive(), false)
})

t.test('flags of a link are a number, and nothing is linked by others', async (t) => {
  const { proxy } = dying(t)
  const mourner = new Mourner()
  for (const [flags, code] of [
    ['0', 'ERR_INVALID_ARG_TYPE'],
    [null, 'ERR_INVALID_ARG_TYPE'],
    [0.5, 'ERR_OUT_OF_RANGE'],
  ]) {
    t.throws(() => proxy.linkToDeath(mourner, flags as never), { code })
    t.throws(() => proxy.unlinkToDeath(mourner, flags as never), { code })
  }
  t.throws(() => proxy.unlinkToDeath(mourner), { code: 'ERR_NO_SUCH_ELEMENT' })
})

t.test('linked twice, told twice; unlinked once, told once', async (t) => {
  const { proxy, kill } = dying(t)
  const [twice, once] = [new Mourner(), new Mourner()]
  for (const mourner of [twice, twice, once, once]) proxy.linkToDeath(mourner)
  t.equal(proxy.unlinkToDeath(once), true)
  kill()
  await twice.toldTimes(2)
  t.equal(once.told.length, 1)
  t.equal(twice.told.length, 2)
})

t.test('flags belong to a link', async (t) => {
  const { proxy } = dying(t)
  const mourner = new Mourner()
  proxy.linkToDeath(mourner, 4)
  t.throws(() => proxy.unlinkToDeath(mourner), { code: 'ERR_NO_SUCH_ELEMENT' })
  t.throws(() => proxy.unlinkToDeath(mourner, 5), { code: 'ERR_NO_SUCH_ELEMENT' })
  t.equal(proxy.unlinkToDeath(mourner, 4), true)
  t.throws(() => proxy.unlinkToDeath(mourner, 4), { code: 'ERR_NO_SUCH_ELEMENT' })
})

t.test('a recipient that was never linked cannot be unlinked', async (t) => {
  const { proxy } = dying(t)
  proxy.linkToDeath(new Mourner())
  t.throws(() => proxy.unlinkToDeath(new Mourner()), { code: 'ERR_NO_SUCH_ELEMENT' })
})

t.test('an unlinked recipient is not notified', async (t) => {
  const { proxy, kill } = dying(t)
  const [unlinked, linked] = [new Mourner(), new Mourner()]
  proxy.linkToDeath(unlinked)
  proxy.linkToDeath(linked)
  proxy.unlinkToDeath(unlinked)
  kill()
  await linked.toldTimes(1)
  t.equal(unlinked.told.length, 0)
})

t.test('every proxy of the channel is told, the root and what came by it', async (t) => {
  const { proxy, server } = support.sessionPair(
    t,
    new support.ScriptedBinder({ 1: (_data, reply) => reply.writeStrongBinder(new Binder()) }),
  )
  const second = await support.call(proxy, 1, { read: (reply) => reply.readStrongBinder() as BinderProxy })
  const mourner = new Mourner()
  proxy.linkToDeath(mourner)
  second.linkToDeath(mourner)
  server.close()
  await mourner.toldTimes(2)
  t.same(new Set(mourner.told), new Set([proxy, second]))
})

t.test('the service is told of its callbacks', async (t) => {
  const mourner = new Mourner()
  const { proxy, client } = support.sessionPair(
    t,
    new support.ScriptedBinder({ 1: (data) => data.readStrongBinder()?.linkToDeath(mourner) }),
  )
  await support.call(proxy, 1, { write: (data) => data.writeStrongBinder(new Binder()) })
  client.close()
  await mourner.toldTimes(1)
  t.type(mourner.told[0], BinderProxy)
})

/** Each method of a proxy in each state that it can be in. */
const states: Record<string, (t: Test) => Promise<BinderProxy>> = {
  alive: async (t) => support.sessionPair(t, new Binder()).proxy,
  dead: async (t) => {
    const { proxy, kill } = dying(t)
    const mourner = new Mourner()
    proxy.linkToDeath(mourner)
    kill()
    await mourner.toldTimes(1)
    return proxy
  },
  closed: async (t) => {
    const { proxy } = support.sessionPair(t, new Binder())
    proxy.close()
    return proxy
  },
}

const linkedBefore = new Mourner()
const methods: [string, (proxy: BinderProxy) => unknown, Record<string, unknown>][] = [
  ['isBinderAlive', (proxy) => proxy.isBinderAlive(), { alive: true, dead: false, closed: false }],
  ['pingBinder', (proxy) => proxy.pingBinder(), { alive: true, dead: false, closed: false }],
  ['transact', (proxy) => support.call(proxy, 1), { alive: false, dead: 'ERR_DEAD_OBJECT', closed: 'ERR_CLOSED' }],
  [
    'oneway transact',
    (proxy) => support.call(proxy, 1, { flags: 1 }),
    { alive: true, dead: 'ERR_DEAD_OBJECT', closed: 'ERR_CLOSED' },
  ],
  [
    'getInterfaceDescriptor',
    (proxy) => proxy.getInterfaceDescriptor(),
    { alive: null, dead: 'ERR_DEAD_OBJECT', closed: 'ERR_CLOSED' },
  ],
  [
    'linkToDeath',
    (proxy) => proxy.linkToDeath(linkedBefore),
    { alive: undefined, dead: 'ERR_DEAD_OBJECT', closed: 'ERR_CLOSED' },
  ],
  [
    'unlinkToDeath',
    (proxy) => proxy.unlinkToDeath(linkedBefore),
    { alive: 'ERR_NO_SUCH_ELEMENT', dead: false, closed: false },
  ],
  ['queryLocalInterface', (proxy) => proxy.queryLocalInterface('x'), { alive: null, dead: null, closed: null }],
  ['close', (proxy) => proxy.close(), { alive: undefined, dead: undefined, closed: undefined }],
  [
    'linkToDeath of null',
    (proxy) => proxy.linkToDeath(null as unknown as DeathRecipient),
    { alive: 'ERR_NULL_POINTER', dead: 'ERR_NULL_POINTER', closed: 'ERR_NULL_POINTER' },
  ],
  [
    'linkToDeath of what cannot be told',
    (proxy) => proxy.linkToDeath({} as DeathRecipient),
    { alive: 'ERR_INVALID_ARG_TYPE', dead: 'ERR_INVALID_ARG_TYPE', closed: 'ERR_INVALID_ARG_TYPE' },
  ],
]

for (const [method, act, expected] of methods) {
  for (const [state, make] of Object.entries(states)) {
    t.test(`${method} of a proxy that is ${state}: ${expected[state]}`, async (t) => {
      const proxy = await make(t)
      const result = support.outcome(() => act(proxy))
      const settled = result instanceof Promise ? await result.catch((error: { code: string }) => error.code) : result
      t.equal(settled, expected[state])
    })
  }
}

t.test('a call under way when the peer dies is ERR_DEAD_OBJECT', async (t) => {
  const { proxy, kill } = dying(t)
  const answer = support.call(proxy, 1)
  kill()
  await t.rejects(answer, { code: 'ERR_DEAD_OBJECT' })
})

t.test('an error in binderDied is a process warning, and the others are told', async (t) => {
  const warnings = support.warningsOf(t)
  const { proxy, kill } = dying(t)
  const mourner = new Mourner()
  proxy.linkToDeath({
    binderDied: () => {
      throw new Error('out of grief')
    },
  })
  proxy.linkToDeath(mourner)
  kill()
  await mourner.toldTimes(1)
  t.match(await warnings.next(1), [{ code: 'MEMSVC_CALLBACK_ERROR', message: /binderDied.*out of grief/s }])
})

t.test('in binderDied the proxy is dead: linking again throws, unlinking gives false', async (t) => {
  const { proxy, kill } = dying(t)
  const results: unknown[] = []
  const recipient = {
    binderDied: (who: IBinder) => {
      results.push(
        support.outcome(() => who.linkToDeath(recipient)),
        who.unlinkToDeath(recipient),
        who.isBinderAlive(),
      )
      waiter.binderDied(who)
    },
  }
  const waiter = new Mourner()
  proxy.linkToDeath(recipient)
  kill()
  await waiter.toldTimes(1)
  t.same(results, ['ERR_DEAD_OBJECT', false, false])
})

t.test('closing a proxy tells nobody who was linked to it', async (t) => {
  const { proxy } = support.sessionPair(t, new Binder())
  const mourner = new Mourner()
  proxy.linkToDeath(mourner)
  proxy.close()
  await new Promise(setImmediate)
  t.equal(mourner.told.length, 0)
})

t.test('a service process that is killed is dead, and its recipients are told', async (t) => {
  const program = support.nodeUrl.fileURLToPath(import.meta.resolve('../../test-support/fixtures/service-process.js'))
  const pair = makeChannelPair(false)
  const child = support.nodeChildProcess.spawn(process.execPath, [program], {
    stdio: ['ignore', 'inherit', 'inherit', pair.server.fd],
  })
  pair.server.close()
  const session = new Session(pair.client, { role: 'client', root: null, peerAcceptsFileDescriptors: false })
  t.teardown(() => session.close())
  const proxy = session.root
  const mourner = new Mourner()
  proxy.linkToDeath(mourner)
  t.equal(await support.call(proxy, 1, { read: (reply: Parcel) => reply.readInt() }), child.pid)
  const unanswered = support.call(proxy, 2)
  const closed = support.nodeEvents.once(child, 'close')
  child.kill('SIGKILL')
  await t.rejects(unanswered, { code: 'ERR_DEAD_OBJECT' })
  await mourner.toldTimes(1)
  await closed
})
