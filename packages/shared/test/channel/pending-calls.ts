/** Calls that wait for their answer: found by id whatever the order, a slow one is in nobody's way. */
import t from 'tap'
import type { Outcome } from '../../src/channel/channel-handler.ts'
import { CHANNEL_LIMITS } from '../../src/channel/limits.ts'
import { type CallWaiter, PendingCalls } from '../../src/channel/pending-calls.ts'

const LIMIT = CHANNEL_LIMITS.pendingCalls.limit
const OUTCOME = { status: 0 } as Outcome // only handed on

class Waiter implements CallWaiter {
  id = 0
  readonly heard: unknown[] = []

  settle(outcome: Outcome): void {
    this.heard.push(outcome)
  }

  fail(reason: Error): void {
    this.heard.push(reason)
  }
}

/** @returns the ids of the calls, each with its waiter */
function add(calls: PendingCalls, count: number): Map<number, Waiter> {
  return new Map(
    Array.from({ length: count }, () => {
      const waiter = new Waiter()
      return [calls.add(waiter), waiter]
    }),
  )
}

t.test('ids are given out from 1 on, one after the other', async (t) => {
  t.strictSame([...add(new PendingCalls(), 3).keys()], [1, 2, 3])
})

t.test('as many as are allowed are told what came of them, in any order, and once', async (t) => {
  const calls = new PendingCalls()
  const waiters = add(calls, LIMIT)
  t.equal(waiters.size, LIMIT, 'no id twice')
  t.equal(calls.size, LIMIT)
  t.throws(() => calls.add(new Waiter()), { code: 'ERR_LIMIT' })
  for (const id of [...waiters.keys()].reverse()) {
    if (!calls.settle(id, OUTCOME)) t.fail(`${id} is not known`)
    if (calls.settle(id, OUTCOME)) t.fail(`${id} is known twice`)
  }
  t.equal(calls.size, 0)
  t.ok([...waiters.values()].every(({ heard }) => heard.length === 1 && heard[0] === OUTCOME))
})

t.test('an id that was never given out, or is given back, is nobody', async (t) => {
  const calls = new PendingCalls()
  t.equal(calls.settle(1, OUTCOME), false)
  const [[id, waiter] = [0, new Waiter()]] = add(calls, 1)
  for (const other of [0, id + 8, id + 2 ** 31, 0xffffffff]) t.equal(calls.settle(other, OUTCOME), false, `${other}`)
  calls.remove(id)
  t.equal(calls.settle(id, OUTCOME), false)
  t.strictSame(waiter.heard, [])
})

t.test('a call that is not answered for long keeps its id while thousands come and go', async (t) => {
  const calls = new PendingCalls()
  const [[slow, waiter] = [0, new Waiter()]] = add(calls, 1)
  for (let i = 0; i < 5000; i++) {
    const [id] = add(calls, 1).keys()
    if (id === slow || !calls.settle(id as number, OUTCOME)) t.fail(`round ${i}`)
  }
  t.equal(calls.settle(slow, OUTCOME), true)
  t.strictSame(waiter.heard, [OUTCOME])
})

t.test('at the end all that wait are told, the oldest first', async (t) => {
  const calls = new PendingCalls()
  const order: number[] = []
  for (let i = 0; i < 100; i++) calls.add({ id: 0, settle: () => t.fail('an answer'), fail: () => order.push(i) })
  calls.failAll(new Error('over'))
  t.strictSame(
    order,
    Array.from({ length: 100 }, (_, i) => i),
  )
  t.equal(calls.size, 0)
  t.equal(calls.settle(1, OUTCOME), false)
})

t.test('calls come together while others are pending, and after several were', async (t) => {
  const calls = new PendingCalls()
  t.equal(calls.areConcurrent, false, 'there was none')
  const first = calls.add(new Waiter())
  t.equal(calls.areConcurrent, true, 'one is pending')
  calls.settle(first, OUTCOME)
  t.equal(calls.areConcurrent, false, 'it was alone')
  for (const id of [calls.add(new Waiter()), calls.add(new Waiter())]) calls.settle(id, OUTCOME)
  t.equal(calls.areConcurrent, true, 'there were two')
  calls.settle(calls.add(new Waiter()), OUTCOME)
  t.equal(calls.areConcurrent, false, 'the next was alone')
})
