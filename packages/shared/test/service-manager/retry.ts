/** Trying again: only where a moment later it may work, until then, and no longer. */
import t from 'tap'
import { connectionRateFarewell, isOverloaded, retryOverloaded } from '../../src/service-manager/retry.ts'
import { LimitError } from '../../src/util/errors.ts'

const busy = () => Object.assign(new Error('busy'), { code: 'EAGAIN' })

/** Fails so often, then answers how often it was tried. */
function failing(times: number, error: () => Error): () => number {
  let tried = 0
  return () => {
    tried += 1
    if (tried <= times) throw error()
    return tried
  }
}

t.test('a client that finds the registry full tries until it gets in', async (t) => {
  t.equal(await retryOverloaded(failing(5, busy)), 6)
  t.equal(await retryOverloaded(failing(3, () => new LimitError('new connections of one user', 1, 1))), 4)
  t.equal(await retryOverloaded(async () => 1), 1)
})

t.test('any other reason is told at once', async (t) => {
  for (const error of [
    Object.assign(new Error('nobody'), { code: 'ENOENT' }),
    Object.assign(new Error('closed'), { code: 'ERR_SECURITY' }),
    new LimitError('channels of one user', 1, 1),
    new Error('no code'),
  ]) {
    let tried = 0
    const attempt = () => {
      tried += 1
      throw error
    }
    t.equal(isOverloaded(error), false)
    t.equal(await retryOverloaded(attempt).catch((reason: unknown) => reason), error)
    t.equal(tried, 1, error.message)
  }
  t.ok(connectionRateFarewell(1).length > 0)
})

t.test('it ends with its time, with what the last attempt said, and with its signal', async (t) => {
  await t.rejects(retryOverloaded(failing(Number.POSITIVE_INFINITY, busy), { timeoutMs: 5 }), { code: 'EAGAIN' })
  const aborter = new AbortController()
  const attempt = () => {
    setImmediate(() => aborter.abort('enough'))
    throw busy()
  }
  await t.rejects(retryOverloaded(attempt, { signal: aborter.signal }), { code: 'ABORT_ERR', cause: 'enough' })
  await t.rejects(
    retryOverloaded(() => t.fail('it was tried'), { signal: AbortSignal.abort() }),
    { code: 'ABORT_ERR' },
  )
})
