/** Errors of a service travel by their code, with their message; those without a number make the call unknown. */
import t, { type Test } from 'tap'
import { type BinderProxy, defineInterface, type Parcel, type Parcelable, types } from '../../src/index.ts'
import * as errors from '../../src/util/errors.ts'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)
support.watchdog(t)

/** What the caller sees of an error of the service: the reply read as a reply with an exception header. */
function thrown(proxy: BinderProxy): Promise<unknown> {
  return support.call(proxy, 1, { read: (reply: Parcel) => reply.readException() })
}

function throwing(t: Test, error: unknown): BinderProxy {
  const serve = (_data: Parcel, reply: Parcel) => {
    reply.writeString('what was written before does not travel')
    throw error
  }
  return support.sessionPair(t, new support.ScriptedBinder({ 1: serve })).proxy
}

/** Node's own of `act`. */
function errorOf(act: () => unknown): unknown {
  try {
    return act()
  } catch (error) {
    return error
  }
}

const travelling: [Error, string, new (...args: never[]) => Error][] = [
  [new errors.SecurityError('no'), 'ERR_SECURITY', errors.SecurityError],
  [new errors.BadParcelError('no'), 'ERR_BAD_PARCEL', errors.BadParcelError],
  [new errors.InvalidArgValueError('no'), 'ERR_INVALID_ARG_VALUE', errors.InvalidArgValueError],
  [new errors.InvalidArgTypeError('no'), 'ERR_INVALID_ARG_VALUE', errors.InvalidArgValueError],
  [new errors.NullPointerError('no'), 'ERR_NULL_POINTER', errors.NullPointerError],
  [new errors.IllegalStateError('no'), 'ERR_ILLEGAL_STATE', errors.IllegalStateError],
  [new errors.UnsupportedOperationError('no'), 'ERR_UNSUPPORTED_OPERATION', errors.UnsupportedOperationError],
  [new errors.ReadOnlyError('no'), 'ERR_UNSUPPORTED_OPERATION', errors.UnsupportedOperationError],
  [Object.assign(new Error('no'), { code: 'ERR_SECURITY' }), 'ERR_SECURITY', errors.SecurityError],
]

for (const [error, code, Class] of travelling) {
  t.test(`${error.name} with ${(error as { code?: string }).code} arrives as ${code}, with its message`, async (t) => {
    const proxy = throwing(t, error)
    await t.rejects(thrown(proxy), { code, message: 'no', constructor: Class })
    t.equal(await proxy.pingBinder(), true)
  })
}

t.test('an error that is the own of a service arrives with its number', async (t) => {
  for (const errorCode of [0, -1, 2 ** 31 - 1, -(2 ** 31)]) {
    await t.rejects(thrown(throwing(t, new errors.ServiceSpecificError(errorCode, 'own'))), {
      code: 'ERR_SERVICE_SPECIFIC',
      errorCode,
      message: 'own',
    })
  }
})

t.test('messages travel whole: empty, of all of Unicode, long', async (t) => {
  for (const text of ['', 'Grüße \u{1f600} \ud800', 'x'.repeat(400_000)]) {
    await t.rejects(thrown(throwing(t, new errors.SecurityError(text))), { code: 'ERR_SECURITY', message: text })
  }
})

t.test('a message that no reply can hold is ERR_TRANSACTION_TOO_LARGE', async (t) => {
  const proxy = throwing(t, new errors.SecurityError('x'.repeat(600_000)))
  await t.rejects(thrown(proxy), { code: 'ERR_TRANSACTION_TOO_LARGE' })
  t.equal(await proxy.pingBinder(), true)
})

t.test('a limit arrives with its resource and numbers', async (t) => {
  const { proxy } = support.sessionPair(
    t,
    new support.ScriptedBinder({
      1: () => {
        throw new errors.LimitError('watchers', 2 ** 40, 7)
      },
    }),
  )
  await t.rejects(support.call(proxy, 1), { code: 'ERR_LIMIT', resource: 'watchers', limit: 2 ** 40, used: 7 })
})

t.test('a reply that is too large deeper down is too large here', async (t) => {
  await t.rejects(support.call(throwing(t, new errors.TransactionTooLargeError('deep')), 1), {
    code: 'ERR_TRANSACTION_TOO_LARGE',
    message: 'deep',
  })
})

class Unwritable implements Parcelable {
  static createFromParcel = (): never => {
    throw new Error('nobody reads it')
  }

  readonly error: Error

  constructor(error: Error) {
    this.error = error
  }

  describeContents(): number {
    return 0
  }

  writeToParcel(): void {
    throw this.error
  }
}

const IThrower = defineInterface('IThrower', { fail: { code: 1, args: [] } })

const numberless: [string, unknown][] = [
  ['an error without a code', new Error('x')],
  ['an error with a code of its own', Object.assign(new Error('x'), { code: 'ERR_MINE' })],
  ['a range error', new errors.OutOfRangeError('x')],
  ['a dead object', new errors.DeadObjectError('x')],
  ['something closed', new errors.ClosedError('x')],
  ['a system error', Object.assign(new Error('x'), { code: 'EPERM', errno: -1 })],
  ['a wrong argument of a function of Node', errorOf(() => Buffer.from(undefined as unknown as string))],
  ['a string', 'x'],
  ['null', null],
  ['undefined', undefined],
  ['a service specific error without a number', Object.assign(new Error('x'), { code: 'ERR_SERVICE_SPECIFIC' })],
  ['a limit that is no integer', new errors.LimitError('x', 0.5, Number.NaN)],
  ['an error with a very long code', Object.assign(new Error('x'), { code: 'x'.repeat(1_000_000) })],
]

for (const [what, error] of numberless) {
  t.test(
    `${what} is a call that is not known to transact, a fault of the service to a proxy, and a warning there`,
    async (t) => {
      const warnings = support.warningsOf(t)
      const proxy = throwing(t, error)
      t.equal(await support.call(proxy, 1), false)
      await t.rejects(async () => IThrower.asInterface(proxy).fail(), {
        code: 'ERR_SERVICE_FAILURE',
        message: /^fail of IThrower failed on the other side: ./,
      })
      t.match(await warnings.next(2), [{ code: 'MEMSVC_CALLBACK_ERROR' }, { code: 'MEMSVC_CALLBACK_ERROR' }])
      t.equal(await proxy.pingBinder(), true)
    },
  )
}

t.test('a result that cannot be written for a limit, or its size, is that to the caller', async (t) => {
  const IResult = defineInterface('IResult', { result: { code: 1, args: [], returns: types.parcelable(Unwritable) } })
  class Results extends IResult.Stub {
    error: Error = new errors.LimitError('descriptors', 8, 8)

    result(): Unwritable {
      return new Unwritable(this.error)
    }
  }
  const service = new Results()
  const { proxy } = support.sessionPair(t, service)
  const results = IResult.asInterface(proxy)
  await t.rejects(results.result(), { code: 'ERR_LIMIT', resource: 'descriptors', limit: 8, used: 8 })
  service.error = new errors.TransactionTooLargeError('deep')
  await t.rejects(results.result(), { code: 'ERR_TRANSACTION_TOO_LARGE' })
  service.error = new errors.IllegalStateError('it is closed')
  await t.rejects(results.result(), {
    code: 'ERR_SERVICE_FAILURE',
    message: /result returned a wrong value: it is closed$/,
  })
})

t.test('an error that is rejected later travels as one that is thrown', async (t) => {
  const serve = async () => {
    await new Promise(setImmediate)
    throw new errors.IllegalStateError('later')
  }
  await t.rejects(thrown(support.sessionPair(t, new support.ScriptedBinder({ 1: serve })).proxy), {
    code: 'ERR_ILLEGAL_STATE',
  })
})

// --- the statuses of a failure, as a service in another language may send them ---

/** A String16. */
function text(value: string): Buffer {
  const units = Buffer.alloc(4 + 2 * value.length + 2 + ((2 * value.length + 2) % 4 === 0 ? 0 : 2))
  units.writeInt32LE(value.length, 0)
  units.write(value, 4, 'utf16le')
  return units
}

const statuses: [number, Buffer, unknown][] = [
  [1, text('unknown'), false],
  [2, text('gone'), { code: 'ERR_DEAD_OBJECT', message: 'gone' }],
  [3, text('none'), { code: 'ERR_UNSUPPORTED_OPERATION', message: 'none' }],
  [
    4,
    Buffer.concat([text('m'), text('names'), Buffer.from('0500000000000000', 'hex'), Buffer.alloc(8)]),
    { code: 'ERR_LIMIT', resource: 'names', limit: 5, used: 0 },
  ],
  [5, text('long'), { code: 'ERR_TRANSACTION_TOO_LARGE', message: 'long' }],
  [99, text('new'), { code: 'ERR_REMOTE_ERROR', message: /99.*new/ }],
  [2, Buffer.alloc(0), { code: 'ERR_DEAD_OBJECT' }],
  [2, Buffer.from('ffffff7f', 'hex'), { code: 'ERR_DEAD_OBJECT' }],
  [4, Buffer.alloc(0), { code: 'ERR_LIMIT' }],
]

for (const [status, body, expected] of statuses) {
  t.test(`status ${status} with ${body.length} bytes is what the protocol says`, async (t) => {
    const { proxy, peer } = support.rawServer(t)
    const answer = support.call(proxy, 1)
    const [, request] = await peer.receiveMessages(2)
    peer.send(support.message({ kind: support.FAILURE, id: request?.id ?? 0, code: status }, body))
    if (expected === false) t.equal(await answer, false)
    else await t.rejects(answer, expected as Error)
  })
}

t.test('a farewell is what the calls under way fail with', async (t) => {
  const limit = Buffer.concat([text('m'), text('connections'), Buffer.from('0500000000000000', 'hex'), Buffer.alloc(8)])
  const { proxy, peer, ended } = support.rawServer(t)
  const answer = support.call(proxy, 1)
  peer.send(support.message({ kind: support.FAILURE, id: 0, code: 4 }, limit))
  peer.close()
  await t.rejects(answer, { code: 'ERR_LIMIT', resource: 'connections' })
  t.match(await ended(), { code: 'ERR_LIMIT' })
})

t.test('a client that is not admitted gets the limit, although it called at once', async (t) => {
  const { proxy } = support.sessionPair(t, new support.ScriptedBinder(), {
    admit: () => new errors.LimitError('channels', 1, 1),
  })
  await t.rejects(support.call(proxy, 1), { code: 'ERR_LIMIT', resource: 'channels' })
})
