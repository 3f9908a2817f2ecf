/** Who is calling: by the kernel, per call, across every await; cleared and restored. */
import { AsyncLocalStorage } from 'node:async_hooks'
import t from 'tap'
import { inContext, withoutContext } from '../../src/binder/calling-identity.ts'
import { Binder, type IBinder, type Parcel } from '../../src/index.ts'
import { call, leakChecked, ScriptedBinder, sessionPair, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

const ownUid = process.getuid?.() ?? 0
const identity = () => [Binder.getCallingPid(), Binder.getCallingUid()]
const OWN = [process.pid, ownUid]

/** A channel whose client the registry knew before: what a connection to the registry is. */
const asCaller = (pid: number, uid: number) => ({ caller: { pid, uid } })

t.test('outside of a call it is this process', async (t) => {
  t.same(identity(), OWN)
  t.throws(() => Binder.getCallingUidOrThrow(), { code: 'ERR_ILLEGAL_STATE' })
})

t.test('in a call it is the sender of the HELLO, by the kernel', async (t) => {
  const seen: unknown[] = []
  const { proxy } = sessionPair(
    t,
    new ScriptedBinder({ 1: () => seen.push(identity(), Binder.getCallingUidOrThrow()) }),
  )
  await call(proxy, 1)
  t.same(seen, [OWN, ownUid])
})

t.test('a oneway call has the true uid, and pid 0', async (t) => {
  const seen: unknown[] = []
  const { proxy } = sessionPair(t, new ScriptedBinder({ 1: () => seen.push(identity()) }), asCaller(77, 88))
  await call(proxy, 1, { flags: Binder.FLAG_ONEWAY })
  await call(proxy, 1)
  t.same(seen, [
    [0, 88],
    [77, 88],
  ])
})

t.test('it holds across every await, and in what the handler started', async (t) => {
  const seen: unknown[] = []
  const { proxy } = sessionPair(
    t,
    new ScriptedBinder({
      1: async () => {
        seen.push(identity())
        await null
        seen.push(identity())
        await new Promise(setImmediate)
        seen.push(identity())
        await Promise.all([1, 2].map(async () => seen.push(identity())))
        await new Promise<void>((resolve) => setTimeout(() => resolve(void seen.push(identity())), 1))
      },
    }),
    asCaller(5, 6),
  )
  await call(proxy, 1)
  t.same(seen, new Array(6).fill([5, 6]))
  t.same(identity(), OWN, 'and is gone after the call')
})

t.test('calls that run at the same time do not mix', async (t) => {
  const seen: [string, unknown][] = []
  let waiting = 0
  let open = () => {}
  const all = new Promise<void>((resolve) => {
    open = resolve
  })
  const binder = new ScriptedBinder({
    1: async () => {
      const before = identity()
      waiting += 1
      if (waiting === 3) open()
      await all
      seen.push([String(before), identity()])
    },
  })
  const callers = [1, 2, 3].map((n) => sessionPair(t, binder, asCaller(n * 10, n * 100)).proxy)
  await Promise.all(callers.map((proxy) => call(proxy, 1)))
  t.equal(seen.length, 3)
  for (const [before, after] of seen) t.equal(String(after), before)
  t.same(new Set(seen.map(([before]) => before)), new Set(['10,100', '20,200', '30,300']))
})

t.test('a call from within a call is of this process itself, and the outer caller is back after it', async (t) => {
  const seen: unknown[] = []
  const inner = new ScriptedBinder({ 1: () => seen.push(['inner', ...identity()]) })
  const outer = new ScriptedBinder({
    1: async () => {
      await call(sessionPair(t, inner).proxy, 1)
      seen.push(['outer', ...identity()])
    },
  })
  await call(sessionPair(t, outer, asCaller(5, 6)).proxy, 1)
  t.same(seen, [
    ['inner', ...OWN],
    ['outer', 5, 6],
  ])
})

t.test('a local call keeps the caller', async (t) => {
  const seen: unknown[] = []
  const local = new ScriptedBinder({ 1: () => seen.push(identity()) })
  const { proxy } = sessionPair(t, new ScriptedBinder({ 1: () => call(local, 1) }), asCaller(5, 6))
  await call(proxy, 1)
  await call(local, 1)
  t.same(seen, [[5, 6], OWN])
})

t.test('cleared, the process speaks for itself; restored, the caller is back', async (t) => {
  const seen: unknown[] = []
  const { proxy } = sessionPair(
    t,
    new ScriptedBinder({
      1: async () => {
        const token = Binder.clearCallingIdentity()
        seen.push(typeof token, token > 0n, identity(), Binder.getCallingUidOrThrow())
        await null
        seen.push(identity())
        Binder.restoreCallingIdentity(token)
        await null
        seen.push(identity())
      },
    }),
    asCaller(4_194_304, 0xfffffffe),
  )
  await call(proxy, 1)
  t.same(seen, ['bigint', true, OWN, ownUid, OWN, [4_194_304, 0xfffffffe]])
})

t.test('clearing nests, and is undone in the reverse order', async (t) => {
  const seen: unknown[] = []
  const { proxy } = sessionPair(
    t,
    new ScriptedBinder({
      1: () => {
        const first = Binder.clearCallingIdentity()
        const second = Binder.clearCallingIdentity()
        Binder.restoreCallingIdentity(second)
        seen.push(identity(), Binder.getCallingUidOrThrow())
        Binder.restoreCallingIdentity(first)
        seen.push(identity())
      },
    }),
    asCaller(5, 6),
  )
  await call(proxy, 1)
  t.same(seen, [OWN, ownUid, [5, 6]])
})

t.test('cleared in one call, another one is not', async (t) => {
  const seen: unknown[] = []
  const binder = new ScriptedBinder({
    1: () => void Binder.clearCallingIdentity(),
    2: () => seen.push(identity()),
  })
  const { proxy } = sessionPair(t, binder, asCaller(5, 6))
  await Promise.all([call(proxy, 1), call(proxy, 2)])
  await call(proxy, 2)
  t.same(seen, [
    [5, 6],
    [5, 6],
  ])
})

t.test('outside of a call, clearing allows getCallingUidOrThrow()', async (t) => {
  const token = Binder.clearCallingIdentity()
  t.equal(Binder.getCallingUidOrThrow(), ownUid)
  Binder.restoreCallingIdentity(token)
  t.throws(() => Binder.getCallingUidOrThrow(), { code: 'ERR_ILLEGAL_STATE' })
  t.throws(() => Binder.restoreCallingIdentity(1 as unknown as bigint), { code: 'ERR_INVALID_ARG_TYPE' })
})

t.test('a death that comes up in a call is told outside of it', async (t) => {
  const seen: unknown[] = []
  const other = sessionPair(t, new ScriptedBinder({ 2: (_data, reply) => reply.writeStrongBinder(new Binder()) }))
  const linked = await call(other.proxy, 2, { read: (reply: Parcel) => reply.readStrongBinder() as IBinder })
  linked.linkToDeath({ binderDied: () => seen.push(identity()) })
  const { proxy } = sessionPair(t, new ScriptedBinder({ 1: () => other.client.close() }), asCaller(5, 6))
  await call(proxy, 1)
  t.same(seen, [OWN])
})

t.test(
  "a callback of this project's own is called as it is, and a user's in the context in which it was given",
  async (t) => {
    const where = new AsyncLocalStorage<string>()
    const callback = () => where.getStore()
    const [users, ours] = where.run('where it was given', () => [
      inContext('test:callback', callback),
      inContext(
        'test:callback',
        withoutContext(() => where.getStore()),
      ),
    ])
    where.run('where it is called', () => {
      t.equal(users?.(), 'where it was given')
      t.equal(ours?.(), 'where it is called')
    })
  },
)
