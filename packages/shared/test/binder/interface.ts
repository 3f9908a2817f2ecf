/** Interfaces as tables: the parts that defineInterface makes, what they do here and over a channel, and what is refused. */
import t, { type Test } from 'tap'
import * as api from '../../src/index.ts'
import { call, identityOf, leakChecked, sessionPair, warningsOf, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

const ICalculator = api.defineInterface('x.ICalculator', {
  add: { code: 1, args: [api.types.int, api.types.int], returns: api.types.int },
  refuse: { code: 2, args: [api.types.string] },
  note: { code: 3, args: [api.types.string], oneway: true },
  notes: { code: 16_777_215, args: [], returns: api.types.stringArray },
  absent: { code: 5, args: [], returns: api.types.int },
  open: { code: 6, args: [api.types.boolean], returns: api.types.nullable(api.types.parcelFileDescriptor) },
})

class Calculator extends ICalculator.Stub implements Partial<api.ImplementationOf<typeof ICalculator>> {
  readonly #notes: (string | null)[] = []
  opened: api.ParcelFileDescriptor | null = null

  add(a: number, b: number): number {
    return a + b
  }

  async refuse(reason: string | null): Promise<void> {
    await null
    throw new api.SecurityError(reason ?? '')
  }

  note(text: string | null): void {
    this.#notes.push(text)
  }

  notes(): (string | null)[] {
    return this.#notes
  }

  open(really: boolean): api.ParcelFileDescriptor | null {
    this.opened = really ? api.ParcelFileDescriptor.fromData(Buffer.from('x'), 'x') : null
    return this.opened
  }
}

function remote(t: Test) {
  const service = new Calculator()
  return { service, ...sessionPair(t, service) }
}

t.test('the parts are the name, the codes, and two classes', async (t) => {
  t.equal(ICalculator.DESCRIPTOR, 'x.ICalculator')
  t.equal(ICalculator.TRANSACTION_add, 1)
  t.equal(ICalculator.TRANSACTION_notes, 16_777_215)
  const stub = new Calculator()
  t.type(stub, api.Binder)
  t.equal(stub.asBinder(), stub)
  t.equal(stub.queryLocalInterface('x.ICalculator'), stub)
  t.equal(await stub.getInterfaceDescriptor(), 'x.ICalculator')
  t.equal(Object.isFrozen(ICalculator), true)
})

t.test('asInterface is the local object, or a proxy, or null', async (t) => {
  const { service, proxy } = remote(t)
  t.equal(ICalculator.asInterface(service), service)
  t.equal(ICalculator.asInterface(null), null)
  const calculator = ICalculator.asInterface(proxy)
  t.type(calculator, ICalculator.Proxy)
  t.equal(calculator.asBinder(), proxy)
  t.type(ICalculator.asInterface(new api.Binder()), ICalculator.Proxy, 'a local object of another interface')
})

t.test('methods are called there, with their arguments, and answer here', async (t) => {
  const calculator = ICalculator.asInterface(remote(t).proxy)
  t.equal(await calculator.add(-2_147_483_648, 1), -2_147_483_647)
  await t.rejects(async () => calculator.refuse('no'), { code: 'ERR_SECURITY', message: 'no' })
})

t.test('a oneway method answers nothing, at once, and runs in order', async (t) => {
  const calculator = ICalculator.asInterface(remote(t).proxy)
  t.equal(await calculator.note('first'), undefined)
  await calculator.note(null)
  await calculator.note('third')
  // There is no order between oneway calls and others: the answer may come before the last of them has run.
  while ((await calculator.notes())?.length !== 3);
  t.same(await calculator.notes(), ['first', null, 'third'])
})

t.test('a method that the service does not have is unknown', async (t) => {
  const { proxy } = remote(t)
  const calculator = ICalculator.asInterface(proxy)
  await t.rejects(async () => calculator.absent(), { code: 'ERR_UNKNOWN_TRANSACTION', message: /absent/ })
  t.equal(await call(proxy, 5), false)
  t.equal(await call(proxy, 99), false)
})

t.test('a name that every object has is no method that was forgotten', async (t) => {
  for (const name of ['toString', 'constructor', 'transact', 'asBinder', 'then', 'onTransact', 'hasOwnProperty']) {
    t.throws(() => api.defineInterface('x', { [name]: { code: 1, args: [] } }), { code: 'ERR_INVALID_ARG_VALUE' }, name)
  }
})

t.test('codes are from 1 to 16777215, each once', async (t) => {
  for (const code of [0, -1, 16_777_216, 1.5, Number.NaN, '1' as unknown as number]) {
    t.throws(() => api.defineInterface('x', { m: { code, args: [] } }), { code: 'ERR_INVALID_ARG_VALUE' }, String(code))
  }
  const twice: api.InterfaceSpec = { a: { code: 1, args: [] }, b: { code: 1, args: [] } }
  t.throws(() => api.defineInterface('x', twice), { code: 'ERR_INVALID_ARG_VALUE' })
})

t.test('a oneway method cannot return anything', async (t) => {
  const spec: api.InterfaceSpec = { m: { code: 1, args: [], oneway: true, returns: api.types.int } }
  t.throws(() => api.defineInterface('x', spec), { code: 'ERR_INVALID_ARG_VALUE' })
})

t.test('a call with the token of another interface is refused', async (t) => {
  const { proxy } = remote(t)
  const ask = (token: string | null) =>
    call(proxy, 1, {
      write: (data) => {
        if (token !== null) data.writeInterfaceToken(token)
        data.writeInt(1)
        data.writeInt(2)
      },
      read: (reply) => reply.readException(),
    })
  await ask('x.ICalculator')
  for (const token of ['x.IOther', '', null]) await t.rejects(ask(token), { code: 'ERR_SECURITY' }, String(token))
})

t.test('arguments that are too many or cut off are refused', async (t) => {
  const { proxy } = remote(t)
  const ask = (write: (data: api.Parcel) => void) =>
    call(proxy, 2, {
      write: (data) => {
        data.writeInterfaceToken('x.ICalculator')
        write(data)
      },
      read: (reply) => reply.readException(),
    })
  const tooMany = ask((data) => {
    data.writeString('no')
    data.writeInt(1)
  })
  await t.rejects(tooMany, { code: 'ERR_BAD_PARCEL' })
  await t.rejects(
    ask((data) => data.writeInt(1_000_000)),
    { code: 'ERR_BAD_PARCEL' },
  )
})

t.test('arguments of the wrong type are refused before anything is sent', async (t) => {
  const calculator = ICalculator.asInterface(remote(t).proxy)
  const add = calculator.add as (...args: unknown[]) => Promise<number>
  for (const [args, code] of [
    [[1], 'ERR_INVALID_ARG_TYPE'],
    [['1', 2], 'ERR_INVALID_ARG_TYPE'],
    [[1, 2 ** 31], 'ERR_OUT_OF_RANGE'],
    [[1.5, 2], 'ERR_OUT_OF_RANGE'],
  ] as const) {
    await t.rejects(add.apply(calculator, [...args]), { code }, String(args))
  }
})

t.test('a result of the wrong type is the fault of the service, and a warning there', async (t) => {
  const warnings = warningsOf(t)
  class Wrong extends ICalculator.Stub {
    add() {
      return 'three'
    }
  }
  const { proxy } = sessionPair(t, new Wrong())
  await t.rejects(async () => ICalculator.asInterface(proxy).add(1, 2), {
    code: 'ERR_SERVICE_FAILURE',
    message: /add of .* failed on the other side: .*must be a number, got "three"/,
  })
  t.match(await warnings.next(1), [{ code: 'MEMSVC_CALLBACK_ERROR' }])
})

t.test('a promise of another library is waited for', async (t) => {
  class Thenable extends ICalculator.Stub {
    add(a: number, b: number) {
      // biome-ignore lint/suspicious/noThenProperty: that is what is tested
      return { then: (resolve: (sum: number) => void) => setImmediate(() => resolve(a + b)) }
    }
  }
  const { proxy } = sessionPair(t, new Thenable())
  t.equal(await ICalculator.asInterface(proxy).add(1, 2), 3)
})

t.test('a descriptor that a method returns is given away: closed there, the property of the caller here', async (t) => {
  const { service, proxy } = remote(t)
  const calculator = ICalculator.asInterface(proxy)
  t.equal(await calculator.open(false), null)
  const received = await calculator.open(true)
  t.equal(service.opened?.getFileDescriptor().valid(), false)
  t.match(identityOf(received?.getFd() ?? -1), /\d+:\d+/)
  received?.close()
})

t.test('a service that is called in its own process answers as it likes, without parcels', async (t) => {
  const calculator = ICalculator.asInterface(new Calculator() as api.IBinder)
  t.equal(calculator.add(1, 2), 3)
  t.equal(calculator.note('x'), undefined)
})

t.test('an interface of another module with the same name finds the local object too', async (t) => {
  const Again = api.defineInterface('x.ICalculator', {
    add: { code: 1, args: [api.types.int, api.types.int], returns: api.types.int },
  })
  const service = new Calculator()
  t.equal(Again.asInterface(service), service)
})

// --- the same wire as by hand ---

t.test('a table and code by hand write the same bytes', async (t) => {
  const seen: string[] = []
  class Listener extends api.Binder {
    override onTransact(_code: number, data: api.Parcel, reply: api.Parcel): boolean {
      seen.push(data.marshall().toString('hex'))
      reply.writeNoException()
      reply.writeInt(7)
      return true
    }
  }
  const { proxy } = sessionPair(t, new Listener())
  t.equal(await ICalculator.asInterface(proxy).add(3, -4), 7)
  const byHand = await call(proxy, 1, {
    write: (data) => {
      data.writeInterfaceToken('x.ICalculator')
      data.writeInt(3)
      data.writeInt(-4)
    },
    read: (reply) => {
      reply.readException()
      return reply.readInt()
    },
  })
  t.equal(byHand, 7)
  const token = `00000000ffffffff545359530d000000${Buffer.from('x.ICalculator\0', 'utf16le').toString('hex')}`
  t.same(seen, [`${token}03000000fcffffff`, `${token}03000000fcffffff`])
})

t.test('a reply of a table is read by hand', async (t) => {
  const { proxy } = remote(t)
  const bytes = await call(proxy, 1, {
    write: (data) => {
      data.writeInterfaceToken('x.ICalculator')
      data.writeInt(3)
      data.writeInt(-4)
    },
    read: (reply) => reply.marshall().toString('hex'),
  })
  t.equal(bytes, '00000000ffffffff')
})

// --- every type ---

class Holder extends api.Binder {}
const holder = new Holder()
const IEcho = api.defineInterface('x.IEcho', {
  int: { code: 1, args: [api.types.int], returns: api.types.int },
  long: { code: 2, args: [api.types.long], returns: api.types.long },
  float: { code: 3, args: [api.types.float], returns: api.types.float },
  double: { code: 4, args: [api.types.double], returns: api.types.double },
  boolean: { code: 5, args: [api.types.boolean], returns: api.types.boolean },
  string: { code: 6, args: [api.types.string], returns: api.types.string },
  stringArray: { code: 7, args: [api.types.stringArray], returns: api.types.stringArray },
  byteArray: { code: 8, args: [api.types.byteArray], returns: api.types.byteArray },
  blob: { code: 9, args: [api.types.blob], returns: api.types.blob },
  binder: { code: 10, args: [api.types.binder], returns: api.types.binder },
  nullable: { code: 11, args: [api.types.nullable(api.types.int)], returns: api.types.nullable(api.types.int) },
})
const echo = (value: unknown) => value
class Echo extends IEcho.Stub {}
for (const name of Object.keys(IEcho.methods)) Object.defineProperty(Echo.prototype, name, { value: echo })

const values: [keyof typeof IEcho.methods, unknown[]][] = [
  ['int', [0, -1, 2 ** 31 - 1, -(2 ** 31)]],
  ['long', [0n, -(2n ** 63n), 2n ** 63n - 1n]],
  ['float', [0, -1.5, Number.POSITIVE_INFINITY, Number.NaN]],
  ['double', [0, Math.PI, -0, Number.MAX_VALUE, Number.NaN]],
  ['boolean', [true, false]],
  ['string', ['', 'héllo \u{1f600}', '\0', null]],
  ['stringArray', [[], ['a', null, ''], null]],
  ['byteArray', [Buffer.alloc(0), Buffer.from([0, 255]), Buffer.alloc(100_000, 1), null]],
  ['blob', [Buffer.alloc(0), Buffer.alloc(16_384, 1), Buffer.alloc(16_385, 2), Buffer.alloc(3_000_000, 3), null]],
  ['binder', [holder, null]],
  ['nullable', [0, -1, null]],
]

for (const [name, list] of values) {
  t.test(`a value of type ${name} is the same when it comes back`, async (t) => {
    const service = new Echo({ acceptFileDescriptors: true })
    const proxy = IEcho.asInterface(sessionPair(t, service).proxy)
    for (const value of list) t.strictSame(await (proxy[name] as (value: unknown) => unknown)(value), value)
  })
}

t.test('a blob to a service that accepts no descriptors stays in the parcel, up to its limit', async (t) => {
  const proxy = IEcho.asInterface(sessionPair(t, new Echo()).proxy)
  t.strictSame(await proxy.blob(Buffer.alloc(500_000, 1)), Buffer.alloc(500_000, 1))
  await t.rejects(async () => proxy.blob(Buffer.alloc(1_100_000)), { code: 'ERR_TRANSACTION_TOO_LARGE' })
})

t.test('a proxy of a proxy is never made', async (t) => {
  const { proxy } = remote(t)
  t.type(proxy, api.BinderProxy)
  t.equal(ICalculator.asInterface(ICalculator.asInterface(proxy).asBinder()).asBinder(), proxy)
})

t.test('a request with more than the arguments is refused, and the method does not run', async (t) => {
  const IOne = api.defineInterface('test.IOne', {
    take: { code: 1, args: [api.types.int] },
    nothing: { code: 2, args: [] },
  })
  const taken: unknown[] = []
  class One extends IOne.Stub {
    take(value: number): void {
      taken.push(value)
    }
    nothing(): void {
      taken.push('nothing')
    }
  }
  const { proxy } = sessionPair(t, new One())
  for (const [code, ints] of [
    [1, [7, 8]],
    [2, [7]],
    [1, [7]],
  ] as const) {
    using data = api.Parcel.obtain()
    using reply = api.Parcel.obtain()
    data.writeInterfaceToken(IOne.DESCRIPTOR)
    for (const each of ints) data.writeInt(each)
    await proxy.transact(code, data, reply)
    const read = () => reply.readException()
    if (code === 1 && ints.length === 1) t.doesNotThrow(read)
    else t.throws(read, { code: 'ERR_BAD_PARCEL' })
  }
  t.strictSame(taken, [7])
})
