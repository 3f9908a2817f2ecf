/** Calls that are given up: here at once, whatever becomes of them there, and nothing of a late answer is left. */
import t, { type Test } from 'tap'
import * as api from '../../src/index.ts'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)
support.watchdog(t)

const ISlow = api.defineInterface('x.ISlow', {
  later: { code: 1, args: [], returns: api.types.int },
  descriptor: { code: 2, args: [], returns: api.types.parcelFileDescriptor },
  binder: { code: 3, args: [], returns: api.types.binder },
  quick: { code: 4, args: [], returns: api.types.int },
  note: { code: 5, args: [], oneway: true },
  absent: { code: 6, args: [] },
})

/** Answers when it is told to. */
class Slow extends ISlow.Stub {
  #answer!: () => void
  readonly #told = new Promise<void>((resolve) => {
    this.#answer = resolve
  })
  notes = 0
  calls = 0

  answer(): void {
    this.#answer()
  }

  async later(): Promise<number> {
    this.calls += 1
    await this.#told
    return 1
  }

  async descriptor(): Promise<api.ParcelFileDescriptor> {
    await this.#told
    return api.ParcelFileDescriptor.fromData(Buffer.from('late'), 'late') as api.ParcelFileDescriptor
  }

  async binder(): Promise<api.IBinder> {
    await this.#told
    return new api.Binder()
  }

  quick(): number {
    return 42
  }

  note(): void {
    this.notes += 1
  }
}

type Service = NonNullable<ReturnType<typeof ISlow.asInterface>>

/** The two sides that a caller may have. */
const SIDES: Record<string, (t: Test, slow: Slow) => Service> = {
  'a proxy': (t, slow) => ISlow.asInterface(support.sessionPair(t, slow).proxy),
  'the object itself': (_t, slow) => ISlow.asInterface(slow as api.IBinder),
}

for (const [side, serviceOf] of Object.entries(SIDES)) {
  t.test(`a call by ${side} ends with AbortError when its signal fires, with the reason as the cause`, async (t) => {
    const service = serviceOf(t, new Slow())
    const controller = new AbortController()
    const call = api.withOptions(service, { signal: controller.signal }).later()
    controller.abort('enough')
    await t.rejects(async () => call, { code: 'ABORT_ERR', name: 'AbortError', cause: 'enough' })
  })

  t.test(`a call by ${side} ends with ERR_TIMEOUT, which says what was called`, async (t) => {
    const service = serviceOf(t, new Slow())
    const call = async () => api.withOptions(service, { timeoutMs: 1 }).later()
    await t.rejects(call(), { code: 'ERR_TIMEOUT', message: 'later of x.ISlow: no answer in 1 ms' })
  })

  t.test(`a call by ${side} that is answered in time is answered, and its signal forgotten`, async (t) => {
    const service = serviceOf(t, new Slow())
    const { signal } = new AbortController()
    const limited = api.withOptions(service, { signal, timeoutMs: 2 ** 31 - 1 })
    t.equal(await limited.quick(), 42)
    t.equal(await api.withOptions(limited, {}).quick(), 42, 'also of one with options already')
    t.equal(limited.asBinder(), service.asBinder())
    t.strictSame(support.nodeEvents.getEventListeners(signal, 'abort'), [])
  })

  t.test(`a call by ${side} with a signal that has fired is not made`, async (t) => {
    const slow = new Slow()
    const limited = api.withOptions(serviceOf(t, slow), { signal: AbortSignal.abort() })
    await t.rejects(async () => limited.later(), { code: 'ABORT_ERR' })
    await t.rejects(async () => limited.note(), { code: 'ABORT_ERR' })
    t.strictSame([slow.calls, slow.notes], [0, 0])
  })

  t.test(`a method that is not there is unknown by ${side}`, async (t) => {
    const limited = api.withOptions(serviceOf(t, new Slow()), { timeoutMs: 60_000 })
    await t.rejects(async () => limited.absent(), { code: 'ERR_UNKNOWN_TRANSACTION' })
  })
}

t.test(
  'an answer that comes too late is dropped, with its descriptors and objects, and the channel lives',
  async (t) => {
    const slow = new Slow()
    const { proxy, server } = support.sessionPair(t, slow)
    const controller = new AbortController()
    const limited = api.withOptions(ISlow.asInterface(proxy), { signal: controller.signal })
    const calls = [limited.later(), limited.descriptor(), limited.binder()].map((call) => Promise.resolve(call))
    const given = Promise.allSettled(calls)
    await proxy.pingBinder()
    controller.abort()
    t.match(await given, Array(3).fill({ status: 'rejected', reason: { code: 'ABORT_ERR' } }))
    slow.answer()
    t.equal(await ISlow.asInterface(proxy).quick(), 42)
    await support.settle()
    t.equal(server.isEnded, false)
  },
) // that nothing is left is looked at after each test

t.test(
  'a call that was given up keeps the process no longer, and the service that never answers loses no one',
  async (t) => {
    const { proxy } = support.sessionPair(t, new Slow())
    const before = support.hubReferences()
    await t.rejects(async () => api.withOptions(ISlow.asInterface(proxy), { timeoutMs: 1 }).later(), {
      code: 'ERR_TIMEOUT',
    })
    t.equal(support.hubReferences(), before)
    proxy.close()
  },
)

t.test('by hand too: transact, a ping, the name of the interface, the extension', async (t) => {
  const { proxy } = support.rawServer(t) // which says nothing
  const [data, reply] = [api.Parcel.obtain(), api.Parcel.obtain()]
  const options = { timeoutMs: 1 }
  await t.rejects(proxy.transact(1, data, reply, 0, options), { code: 'ERR_TIMEOUT' })
  t.equal(reply.dataSize(), 0)
  await t.rejects(proxy.getInterfaceDescriptor(options), { code: 'ERR_TIMEOUT' })
  await t.rejects(proxy.getExtension(options), { code: 'ERR_TIMEOUT' })
  t.equal(await proxy.pingBinder(options), false)
  for (const parcel of [data, reply]) parcel.recycle()
})

t.test('a value that is not an options object, or not a service, is refused', async (t) => {
  const service = ISlow.asInterface(new Slow())
  const { signal } = new AbortController()
  for (const wrong of [signal, [], 1, 'x', new Map(), service, () => ({})]) {
    t.throws(() => api.withOptions(service, wrong as object), { code: 'ERR_INVALID_ARG_TYPE', message: /options/ })
  }
  for (const wrong of [null, undefined]) {
    t.throws(() => api.withOptions(service, wrong as unknown as object), { code: 'ERR_NULL_POINTER' })
  }
  for (const wrong of [{ timeoutMs: 0 }, { timeoutMs: -1 }, { timeoutMs: 2 ** 31 }, { timeoutMs: Number.NaN }]) {
    t.throws(() => api.withOptions(service, wrong), { code: 'ERR_OUT_OF_RANGE', message: /timeoutMs/ })
  }
  t.throws(() => api.withOptions(service, { signal: {} as AbortSignal }), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => api.withOptions(new api.Binder() as unknown as Service, {}), {
    code: 'ERR_INVALID_ARG_TYPE',
    message: /service must be a proxy that asInterface returned/,
  })
  t.equal(await api.withOptions(service, Object.create(null)).quick(), 42)
})
