import { watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import { Deadline, readTimeout } from '../../src/command/deadline.ts'
import { now } from '../../src/util/timers.ts'

watchdog(t)

const never = new Promise<never>(() => {})

t.test('a result that comes in time is passed on, whatever it is', async (t) => {
  const deadline = new Deadline()
  t.equal(await deadline.within(Promise.resolve(7), 'nobody'), 7)
  await t.rejects(deadline.within(Promise.reject(new Error('no')), 'nobody'), { message: 'no' })
})

t.test('a service that does not answer is named, and the command may be tried again', async (t) => {
  await t.rejects(new Deadline(0.01).within(never, 'the registry'), {
    exitCode: 5,
    message: 'the registry has not answered for 0.01 s, try again later',
  })
  await t.rejects(new Deadline(0.01).within(never, 'a (pid 7)', 'ended'), {
    message: 'a (pid 7) has not ended for 0.01 s, try again later',
  })
})

t.test('all waits of a command are one wait', async (t) => {
  const deadline = new Deadline(0.01)
  await t.rejects(deadline.within(never, 'one'), { exitCode: 5, message: /one has not/ })
  t.equal(deadline.leftMs, 0)
  await t.rejects(deadline.within(never, 'other'), { exitCode: 5, message: /other has not/ })
  t.equal(new Deadline(5, now() - 6000).leftMs, 0, 'counted from when the command began')
})

t.test('what a first attempt took is counted, up to half of the time', async (t) => {
  const left = (spentMs: number) => {
    const deadline = new Deadline(1000)
    deadline.spend(spentMs)
    return Math.ceil(deadline.leftMs / 100_000)
  }
  t.strictSame([0, 200_000, 500_000, 1e9].map(left), [10, 8, 5, 5])
})

t.test('a timeout is a number of seconds above 0', async (t) => {
  t.equal(readTimeout(undefined), 5)
  for (const text of ['1', '0.5', '30', '2147483']) t.equal(readTimeout(text), Number(text))
  for (const text of ['', '0', '0.0', '-1', '1e3', '0x1', ' 1', '1s', 'NaN', 'Infinity', '2147484', '.5']) {
    t.throws(() => readTimeout(text), { code: 'ERR_INVALID_ARG_VALUE', message: /--timeout must be/ }, text)
  }
})
