/** A call that fails under way says where it was made, and the end of a service is told in the same words to everybody. */
import t, { type Test } from 'tap'
import * as api from '../../src/index.ts'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)
support.watchdog(t)

const IPlace = api.defineInterface('x.IPlace', {
  hang: { code: 1, args: [], returns: api.types.int },
  deny: { code: 2, args: [] },
  fail: { code: 3, args: [] },
  absent: { code: 4, args: [] },
  limited: { code: 5, args: [] },
})

class Place extends IPlace.Stub {
  hang(): Promise<number> {
    return new Promise(() => undefined)
  }

  deny(): void {
    throw new api.SecurityError('not for you')
  }

  fail(): void {
    throw new Error('broken')
  }

  limited(): void {
    throw new api.LimitError('places', 1, 2)
  }
}

type Method = 'hang' | 'deny' | 'fail' | 'absent' | 'limited'

/** A function with a name that is looked for in stacks. */
async function callerOf(proxy: api.IBinder, method: Method): Promise<Error> {
  try {
    await IPlace.asInterface(proxy)[method]()
  } catch (error) {
    return error as Error
  }
  throw new Error('it did not fail')
}

function assertPlace(t: Test, error: Error): void {
  t.match(error.stack, /^\w+: .*\n/, 'begins with what it is')
  t.match(error.stack, /at (async )?callerOf \(.*caller-stack\.(js|ts):\d+:\d+\)/)
}

for (const [method, code] of [
  ['deny', 'ERR_SECURITY'],
  ['fail', 'ERR_SERVICE_FAILURE'],
  ['absent', 'ERR_UNKNOWN_TRANSACTION'],
  ['limited', 'ERR_LIMIT'],
] as const) {
  t.test(`${code} has the stack of the caller`, async (t) => {
    const warnings = support.warningsOf(t)
    const { proxy } = support.sessionPair(t, new Place())
    const error = await callerOf(proxy, method)
    t.equal(api.errorCode(error), code)
    assertPlace(t, error)
    if (method === 'fail') await warnings.next(1)
  })
}

t.test('calls under way at the death of the service each have their own stack, and all the same text', async (t) => {
  const { proxy, server } = support.sessionPair(t, new Place())
  const failures = Promise.all([callerOf(proxy, 'hang'), callerOf(proxy, 'hang')])
  await proxy.pingBinder()
  server.close()
  const [first, second] = await failures
  t.not(first, second)
  for (const error of [first, second]) {
    t.equal(api.errorCode(error), 'ERR_DEAD_OBJECT')
    assertPlace(t, error)
  }
  const afterwards = await callerOf(proxy, 'deny')
  const data = api.Parcel.obtain()
  const byHand = await proxy.transact(1, data).catch((error) => error)
  data.recycle()
  t.strictSame(
    [first, second, afterwards, byHand].map((error) => [api.errorCode(error), error.message]),
    Array(4).fill(['ERR_DEAD_OBJECT', first.message]),
  )
  assertPlace(t, afterwards)
  t.throws(() => proxy.linkToDeath({ binderDied: () => undefined }), { message: first.message })
})

t.test('a program that prepares stacks itself gets the error nevertheless', async (t) => {
  const { proxy } = support.sessionPair(t, new Place())
  const prepare = Error.prepareStackTrace
  t.teardown(() => {
    Error.prepareStackTrace = prepare
  })
  Error.prepareStackTrace = () => 42
  const error = await callerOf(proxy, 'deny')
  t.equal(api.errorCode(error), 'ERR_SECURITY')
})
