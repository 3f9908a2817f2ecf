/** The local object: a call inside its process, and what a proxy would have done otherwise. */
import t from 'tap'
import { Binder, type BinderOptions } from '../../src/binder/binder.ts'
import type { DeathRecipient } from '../../src/parcel/ibinder.ts'
import { Parcel } from '../../src/parcel/parcel.ts'
import { call, leakChecked, outcome, ScriptedBinder } from '../../test-support/index.ts'

leakChecked(t)

t.test('a local call runs before transact() returns, also when it is oneway', async (t) => {
  for (const flags of [0, Binder.FLAG_ONEWAY]) {
    const seen: number[] = []
    const binder = new ScriptedBinder({ 1: (_data, _reply, flags) => seen.push(flags) })
    const answer = call(binder, 1, { flags })
    t.same(seen, [flags])
    await answer
  }
})

t.test('a local call rewinds the request before and the reply after', async (t) => {
  const binder = new ScriptedBinder({ 1: (data, reply) => reply.writeInt(data.readInt() + data.dataPosition()) })
  const data = Parcel.obtain()
  const reply = Parcel.obtain()
  data.writeInt(10)
  t.equal(await binder.transact(1, data, reply), true)
  t.equal(reply.dataPosition(), 0)
  t.equal(reply.readInt(), 14)
  data.recycle()
  reply.recycle()
})

t.test('an error of a local call arrives unchanged, now or later', async (t) => {
  const error = new Error('of no known code')
  class Throwing extends Binder {
    override onTransact(code: number): boolean | Promise<boolean> {
      if (code === 1) throw error
      return Promise.reject(error)
    }
  }
  for (const code of [1, 2]) t.equal(await call(new Throwing(), code).catch((thrown: unknown) => thrown), error)
})

t.test('without a handler a local object knows only the name of its interface', async (t) => {
  const binder = new Binder()
  binder.attachInterface(null, 'x.I')
  t.equal(await call(binder, 1), false)
  t.equal(await call(binder, Binder.INTERFACE_TRANSACTION, { read: (reply) => reply.readString() }), 'x.I')
})

t.test('a local interface is found by its own name only', async (t) => {
  const binder = new Binder()
  const owner = { asBinder: () => binder }
  t.equal(binder.queryLocalInterface('x.I'), null)
  t.equal(await binder.getInterfaceDescriptor(), null)
  binder.attachInterface(owner, 'x.I')
  t.equal(binder.queryLocalInterface('x.I'), owner)
  t.equal(binder.queryLocalInterface('x.J'), null)
  t.equal(await binder.getInterfaceDescriptor(), 'x.I')
  binder.attachInterface(null, 'x.J')
  t.equal(binder.queryLocalInterface('x.J'), null)
})

t.test('a local object is alive, and its death cannot be waited for', async (t) => {
  const binder = new Binder()
  const recipient = { binderDied: () => t.fail('nobody died') }
  t.equal(await binder.pingBinder(), true)
  t.equal(binder.isBinderAlive(), true)
  t.equal(binder.unlinkToDeath(recipient), true, 'never linked')
  t.equal(binder.linkToDeath(recipient, 3), undefined)
  t.equal(binder.unlinkToDeath(recipient), true)
})

t.test('arguments of the wrong kind are refused', async (t) => {
  const binder = new Binder()
  const link = (recipient: unknown) => outcome(() => binder.linkToDeath(recipient as DeathRecipient))
  t.equal(link(null), 'ERR_NULL_POINTER')
  t.equal(link({}), 'ERR_INVALID_ARG_TYPE')
  t.equal(link('x'), 'ERR_INVALID_ARG_TYPE')
  await t.rejects(call(binder, -1), { code: 'ERR_OUT_OF_RANGE' })
  await t.rejects(call(binder, 1, { flags: 0.5 }), { code: 'ERR_OUT_OF_RANGE' })
  await t.rejects(binder.transact(1, {} as Parcel), { code: 'ERR_INVALID_ARG_TYPE' })
  await t.rejects(binder.transact(1, null as unknown as Parcel, {} as Parcel), { code: 'ERR_INVALID_ARG_TYPE' })
  t.equal(
    outcome(() => binder.attachInterface(null, 5 as unknown as string)),
    'ERR_INVALID_ARG_TYPE',
  )
  t.equal(
    outcome(() => new Binder(null as unknown as BinderOptions)),
    'ERR_NULL_POINTER',
  )
  for (const options of ['x', { acceptFileDescriptors: 1 }, { acceptFileDescriptors: null }]) {
    t.equal(
      outcome(() => new Binder(options as BinderOptions)),
      'ERR_INVALID_ARG_TYPE',
    )
  }
  for (const owner of [5, 'x', undefined]) {
    t.throws(() => binder.attachInterface(owner as never, 'x'), { code: /ERR_INVALID_ARG_TYPE|ERR_NULL_POINTER/ })
  }
  t.equal(binder.queryLocalInterface('x'), null)
  const recipient: DeathRecipient = { binderDied: () => undefined }
  for (const act of ['linkToDeath', 'unlinkToDeath'] as const) {
    t.throws(() => binder[act](recipient, '0' as never), { code: 'ERR_INVALID_ARG_TYPE' })
    t.throws(() => binder[act](recipient, -1), { code: 'ERR_OUT_OF_RANGE' })
  }
  t.equal(
    outcome(() => Parcel.obtain({} as Binder)),
    'ERR_INVALID_ARG_TYPE',
  )
})

t.test('wrong options of a call are refused before the call is made', async (t) => {
  const made: number[] = []
  const binder = new ScriptedBinder({ 1: () => made.push(1) })
  using data = Parcel.obtain()
  for (const options of [5, 'options', { timeoutMs: '1' }, { timeoutMs: 0 }, { signal: {} }]) {
    await t.rejects(binder.transact(1, data, null, 0, options as never), {
      code: /ERR_INVALID_ARG_TYPE|ERR_OUT_OF_RANGE/,
    })
  }
  t.same(made, [])
})
