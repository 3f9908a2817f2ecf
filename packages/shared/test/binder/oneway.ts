/** Oneway calls: no answer, in order per object, each after the one before has ended; nobody learns of their errors. */
import t, { type Test } from 'tap'
import { readsInPlace } from '../../src/binder/in-place.ts'
import { Binder, type BinderProxy, type IBinder, Parcel, SecurityError } from '../../src/index.ts'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)
support.watchdog(t)

const { FLAG_ONEWAY } = Binder
const CALL_BACK = 99

function send(binder: IBinder, code: number, value: number): Promise<boolean> {
  return support.call(binder, code, { write: (data) => data.writeInt(value), flags: FLAG_ONEWAY })
}

/** A gate that handlers wait at. */
function gate(): { open: () => void; opened: Promise<void> } {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

t.test('a oneway call is true at once, whether the code is known or not', async (t) => {
  const { proxy } = support.sessionPair(t, new Binder())
  t.equal(await send(proxy, 98, 1), true)
  t.equal(await proxy.pingBinder(), true)
})

t.test('oneway calls of one object run in order, each after the promise of the one before', async (t) => {
  const log: string[] = []
  const { open, opened } = gate()
  const { proxy } = support.sessionPair(
    t,
    service({
      1: async (data) => {
        const value = data.readInt()
        log.push(`begin ${value}`)
        if (value === 1) await opened
        log.push(`end ${value}`)
      },
    }),
  )
  for (const value of [1, 2, 3]) await send(proxy, 1, value)
  await proxy.pingBinder()
  t.same(log, ['begin 1'], 'the first one holds the others up')
  open()
  await drained(proxy)
  t.same(log, ['begin 1', 'end 1', 'begin 2', 'end 2', 'begin 3', 'end 3'])
})

t.test('a long call is read where it came, but for one that waits for others: that is copied', async (t) => {
  const seen: string[] = []
  const { open, opened } = gate()
  class InPlace extends Binder {
    override [readsInPlace](code: number): boolean {
      return code === 2
    }

    override onTransact(code: number, data: Parcel): boolean | Promise<boolean> {
      if (code === 1) return opened.then(() => true)
      const bytes = data.viewByteArray() as Buffer
      seen.push(
        `${bytes[0]} to ${bytes[bytes.length - 1]} ${bytes.buffer instanceof SharedArrayBuffer ? 'there' : 'a copy'}`,
      )
      return true
    }
  }
  const { proxy } = support.sessionPair(t, new InPlace())
  const sendLong = (code: number, fill: number) =>
    support.call(proxy, code, { write: (data) => data.writeByteArray(Buffer.alloc(50_000, fill)), flags: FLAG_ONEWAY })
  await sendLong(2, 1)
  await proxy.pingBinder()
  t.same(seen, ['1 to 1 there'])
  await send(proxy, 1, 0)
  await sendLong(2, 2)
  await proxy.pingBinder()
  for (const fill of [3, 4, 5]) {
    await support.call(proxy, 3, { write: (data) => data.writeByteArray(Buffer.alloc(50_000, fill)) })
  }
  open()
  while (seen.length < 5) await proxy.pingBinder()
  t.equal(seen.at(-1), '2 to 2 a copy')
})

t.test('ten thousand oneway calls keep their order', async (t) => {
  const seen: number[] = []
  const { proxy } = support.sessionPair(t, service({ 1: (data) => seen.push(data.readInt()) }))
  for (let i = 0; i < 10_000; i++) {
    await send(proxy, 1, i)
    if (i % 500 === 0) await proxy.pingBinder()
  }
  await drained(proxy)
  t.strictSame(
    seen,
    Array.from({ length: 10_000 }, (_, i) => i),
  )
})

t.test('a oneway call that waits holds up neither other objects nor two-way calls', async (t) => {
  const { open, opened } = gate()
  const log: string[] = []
  const other = new support.ScriptedBinder({ 1: () => log.push('other') })
  const root = service({
    1: async () => {
      await opened
      log.push('first')
    },
    2: (_data, reply) => reply.writeStrongBinder(other),
    3: () => log.push('two-way'),
  })
  const { proxy } = support.sessionPair(t, root)
  const second = await support.call(proxy, 2, { read: (reply) => reply.readStrongBinder() })
  await send(proxy, 1, 0)
  await send(second ?? proxy, 1, 0)
  await support.call(proxy, 3)
  t.same(log, ['other', 'two-way'])
  open()
  await drained(proxy)
  t.same(log, ['other', 'two-way', 'first'])
})

t.test('two objects of one class do not wait for each other; an object known by two names does', async (t) => {
  const log: number[] = []
  const { open, opened } = gate()
  const root: support.ScriptedBinder = service({
    1: async (data) => {
      const value = data.readInt()
      if (value === 1) await opened
      log.push(value)
    },
    2: (_data, reply) => reply.writeStrongBinder(root),
  })
  const { proxy } = support.sessionPair(t, root)
  const itself = await support.call(proxy, 2, { read: (reply) => reply.readStrongBinder() })
  await send(proxy, 1, 1)
  await send(itself ?? proxy, 1, 2)
  await proxy.pingBinder()
  t.same(log, [])
  open()
  await drained(proxy)
  t.same(log, [1, 2])
})

t.test('an error of a oneway call is a process warning, and the next one runs', async (t) => {
  const warnings = support.warningsOf(t)
  const seen: number[] = []
  const { proxy } = support.sessionPair(
    t,
    service({
      1: async (data) => {
        seen.push(data.readInt())
        throw new Error('nobody hears')
      },
    }),
  )
  await send(proxy, 1, 1)
  await send(proxy, 1, 2)
  await drained(proxy)
  t.same(seen, [1, 2])
  t.match(await warnings.next(2), [
    { code: 'MEMSVC_CALLBACK_ERROR', message: /nobody hears/ },
    { code: 'MEMSVC_CALLBACK_ERROR', message: /nobody hears/ },
  ])
})

t.test('a refusal in a oneway call is lost: it is meant for a caller who does not listen', async (t) => {
  const warnings = support.warningsOf(t)
  const errors = [new SecurityError('not you'), new Error('a fault')]
  const { proxy } = support.sessionPair(
    t,
    service({
      1: () => {
        throw errors.shift()
      },
    }),
  )
  await send(proxy, 1, 1)
  await send(proxy, 1, 2)
  await drained(proxy)
  t.match(await warnings.next(1), [{ message: /a fault/ }], 'the only warning')
})

t.test('the reply of a oneway call goes nowhere', async (t) => {
  const { proxy } = support.sessionPair(t, new support.ScriptedBinder({ 1: (_data, reply) => reply.writeInt(1) }))
  const read = (reply: Parcel) => reply.dataSize()
  t.equal(await support.call(proxy, 1, { flags: FLAG_ONEWAY, read }), 0)
  t.equal(await proxy.pingBinder(), true)
})

t.test('a flood of oneway calls that the peer does not take ends in ERR_LIMIT, and order is kept', async (t) => {
  const seen: number[] = []
  const { proxy, client } = support.sessionPair(t, service({ 1: (data) => seen.push(data.readInt()) }))
  // The peer lives in this thread: until this turn is over it takes nothing.
  const sent = await flood(t, proxy)
  while (client.queuedBytes > 0) await new Promise(setImmediate)
  await drained(proxy)
  t.equal(seen.length, sent)
  t.ok(
    seen.every((value, i) => value === i),
    'none is missing or out of order',
  )
})

/** Sends until it is refused; how many were not. */
async function flood(t: Test, proxy: BinderProxy): Promise<number> {
  const data = Parcel.obtain()
  const answers: Promise<boolean>[] = []
  for (let i = 0; i < 9_000; i++) {
    data.setDataPosition(0)
    data.writeInt(i)
    data.writeByteArray(Buffer.alloc(1000))
    answers.push(proxy.transact(1, data, null, FLAG_ONEWAY))
  }
  data.recycle()
  const results = await Promise.allSettled(answers)
  const refused = results.filter((result) => result.status === 'rejected')
  t.ok(refused.length > 0)
  t.ok(refused.every(({ reason }) => reason.code === 'ERR_LIMIT' && reason.resource === 'bytes queued on a channel'))
  return results.length - refused.length
}

/** A service of these codes, and of one that calls back: a oneway call has run once one that was sent behind it has. */
function service(codes: Record<number, support.Serve>): support.ScriptedBinder {
  return new support.ScriptedBinder({
    ...codes,
    [CALL_BACK]: (data) => void support.call(data.readStrongBinder() as IBinder, 1, { flags: FLAG_ONEWAY }),
  })
}

async function drained(proxy: BinderProxy): Promise<void> {
  const data = Parcel.obtain()
  await new Promise<void>((resolve) => {
    data.writeStrongBinder(new support.ScriptedBinder({ 1: () => resolve() }))
    void proxy.transact(CALL_BACK, data, null, FLAG_ONEWAY)
  })
  data.recycle()
}
