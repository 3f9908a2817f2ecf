/** Values that end by themselves: in the order of their ends, each once, by one timer however often they are set. */
import { createHook } from 'node:async_hooks'
import t from 'tap'
import { Expiry } from '../../src/store/expiry.ts'
import { nodeTimers } from '../../test-support/index.ts'

const turn = () => nodeTimers.setImmediate()

/** This thread does nothing else until so many milliseconds have passed. */
function busyFor(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

async function untilEmpty(expiry: Expiry): Promise<void> {
  while (expiry.size > 0) await nodeTimers.setTimeout(1)
}

t.test('keys end in the order of their ends, whatever order they were set in', async (t) => {
  const ended: string[] = []
  const expiry = new Expiry((key) => ended.push(key))
  const ttls = Array.from({ length: 40 }, (_, i) => ((i * 17) % 40) + 1)
  for (const ttl of ttls) expiry.set(String(ttl), ttl)
  busyFor(45)
  await untilEmpty(expiry)
  t.strictSame(ended, [...ttls].sort((a, b) => a - b).map(String))
  expiry.close()
})

t.test('the last expiry time of a key counts, and a key whose time was cleared does not expire', async (t) => {
  const ended: string[] = []
  const expiry = new Expiry((key) => ended.push(key))
  for (const key of ['later', 'never', 'soon']) expiry.set(key, 1)
  expiry.set('later', 1_000_000)
  expiry.clear('never')
  expiry.clear('unknown')
  t.equal(expiry.size, 2)
  t.equal(expiry.leftOf('never'), undefined)
  busyFor(3)
  while (ended.length === 0) await nodeTimers.setTimeout(1)
  for (let i = 0; i < 5; i++) await turn()
  t.strictSame(ended, ['soon'])
  t.ok((expiry.leftOf('later') ?? 0) > 900_000)
  expiry.close()
})

t.test('no more than 64 keys end in one turn, and the others in the next ones', async (t) => {
  const turns: number[] = []
  let isSame = false
  const expiry = new Expiry(() => {
    if (!isSame) turns.push(0)
    isSame = true
    queueMicrotask(() => {
      isSame = false
    })
    turns.push((turns.pop() ?? 0) + 1)
  })
  for (let i = 0; i < 200; i++) expiry.set(`k${i}`, 1)
  busyFor(3)
  await untilEmpty(expiry)
  t.strictSame(turns, [64, 64, 64, 8])
  expiry.close()
})

t.test('there is one timer at a time, also when each key that is set ends before all others', async (t) => {
  const timers = new Set<number>()
  const hook = createHook({
    init: (id, type) => void (type === 'Timeout' && timers.add(id)),
    destroy: (id) => void timers.delete(id),
  }).enable()
  t.teardown(() => hook.disable())
  const expiry = new Expiry(() => t.fail('nothing ends here'))
  for (let i = 0; i < 500; i++) expiry.set(`k${i}`, 1_000_000 - i)
  for (let i = 0; i < 5; i++) await turn()
  t.equal(timers.size, 1)
  expiry.close()
  for (let i = 0; i < 5; i++) await turn()
  t.equal(timers.size, 0)
})

t.test('after close() nothing ends any more, also what was due', async (t) => {
  const expiry = new Expiry((key) => t.fail(key))
  for (let i = 0; i < 200; i++) expiry.set(`k${i}`, 1)
  busyFor(3)
  expiry.close()
  t.equal(expiry.size, 0)
  await nodeTimers.setTimeout(5)
})
