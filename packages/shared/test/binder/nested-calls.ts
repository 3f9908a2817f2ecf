/** Calls within calls, in both directions over one channel, while the outer ones wait. */
import t from 'tap'
import { Binder } from '../../src/binder/binder.ts'
import type { IBinder } from '../../src/parcel/ibinder.ts'
import type { Parcel } from '../../src/parcel/parcel.ts'
import { call, leakChecked, ScriptedBinder, sessionPair, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

const ASK = 1

/** Asks the other side with one less, until nothing is left; adds one at every level. */
class Counter extends ScriptedBinder {
  constructor() {
    super({
      [ASK]: async (data, reply) => {
        const depth = data.readInt()
        const other = data.readStrongBinder() as IBinder
        reply.writeInt(depth === 0 ? 0 : 1 + (await ask(other, depth - 1, this)))
      },
    })
  }
}

function ask(binder: IBinder, depth: number, own: Binder): Promise<number> {
  const write = (data: Parcel) => {
    data.writeInt(depth)
    data.writeStrongBinder(own)
  }
  return call(binder, ASK, { write, read: (reply) => reply.readInt() })
}

t.test('a service calls back while its caller waits, and so on to any depth', async (t) => {
  const { proxy } = sessionPair(t, new Counter())
  for (const depth of [0, 1, 2, 100]) t.equal(await ask(proxy, depth, new Counter()), depth)
})

t.test('many nested calls at the same time each find their way back', async (t) => {
  const { proxy } = sessionPair(t, new Counter())
  const depths = Array.from({ length: 50 }, (_, i) => i % 7)
  t.strictSame(await Promise.all(depths.map((depth) => ask(proxy, depth, new Counter()))), depths)
})

t.test('a callback outlives the call that brought it', async (t) => {
  let kept: IBinder | null = null
  const { proxy } = sessionPair(
    t,
    new ScriptedBinder({
      1: (data) => {
        kept = data.readStrongBinder()
      },
      2: async (data) => {
        const value = data.readInt()
        await call(kept as unknown as IBinder, 1, { write: (inner) => inner.writeInt(value) })
      },
    }),
  )
  const seen: number[] = []
  const callback = new ScriptedBinder({ 1: (data) => seen.push(data.readInt()) })
  await call(proxy, 1, { write: (data) => data.writeStrongBinder(callback) })
  for (const value of [1, 2]) await call(proxy, 2, { write: (data) => data.writeInt(value) })
  t.same(seen, [1, 2])
})

t.test('a handler that calls the caller back oneway and waits does not deadlock', async (t) => {
  let heard = (): void => {}
  const { proxy } = sessionPair(
    t,
    new ScriptedBinder({
      1: async (data) => {
        const callback = data.readStrongBinder() as IBinder
        const answered = new Promise<void>((resolve) => {
          heard = resolve
        })
        await call(callback, 1, { flags: Binder.FLAG_ONEWAY })
        await answered
      },
      2: () => heard(),
    }),
  )
  const callback = new ScriptedBinder({ 1: () => call(proxy, 2) })
  t.equal(await call(proxy, 1, { write: (data) => data.writeStrongBinder(callback) }), true)
})

t.test('a call to an object of this side comes from nobody else: it does not travel', async (t) => {
  const { proxy } = sessionPair(
    t,
    new ScriptedBinder({ 1: (data, reply) => reply.writeStrongBinder(data.readStrongBinder()) }),
  )
  const own = new ScriptedBinder({ 1: (_data, reply) => reply.writeInt(7) })
  const write = (data: Parcel) => data.writeStrongBinder(own)
  const returned = await call(proxy, 1, { write, read: (reply) => reply.readStrongBinder() as IBinder })
  t.equal(returned, own)
  t.equal(await call(returned, 1, { read: (reply) => reply.readInt() }), 7)
})

t.test('the death of the caller ends the calls back to it, not the handler', async (t) => {
  const log: string[] = []
  let finished = () => {}
  const done = new Promise<void>((resolve) => {
    finished = resolve
  })
  const { proxy, client } = sessionPair(
    t,
    new ScriptedBinder({
      1: async (data) => {
        const callback = data.readStrongBinder() as IBinder
        await call(callback, 1).catch((error: { code: string }) => log.push(error.code))
        log.push('still here')
        finished()
      },
    }),
  )
  const callback = new ScriptedBinder({ 1: () => client.close() })
  const answer = call(proxy, 1, { write: (data) => data.writeStrongBinder(callback) })
  await t.rejects(answer, { code: 'ERR_DEAD_OBJECT' })
  await done
  t.same(log, ['ERR_DEAD_OBJECT', 'still here'])
})
