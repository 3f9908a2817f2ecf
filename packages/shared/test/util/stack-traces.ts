import t from 'tap'
import { Violation } from '../../src/channel/message.ts'
import { pauseStackTraces, resumeStackTraces, withoutStack } from '../../src/util/stack-traces.ts'

const hasStack = (error: Error) => /\n\s+at /.test(error.stack ?? '')

t.test('an error without a stack is one otherwise, and the next one has its own', async (t) => {
  const error = withoutStack(() => new RangeError('too much', { cause: 1 }))
  t.match(error, { message: 'too much', cause: 1 })
  t.notOk(hasStack(error))
  t.ok(hasStack(new Error('another')))
})

t.test('a violation has none', async (t) => {
  t.notOk(hasStack(new Violation('of a rule')))
  t.ok(hasStack(new Error('another')))
})

t.test('stacks are on again after an error that was thrown without one', async (t) => {
  const before = Error.stackTraceLimit
  t.throws(() =>
    withoutStack(() => {
      throw new Error('in between')
    }),
  )
  t.equal(Error.stackTraceLimit, before)
})

t.test('if the setting cannot be written, errors have their stacks, and nothing fails', async (t) => {
  const before = Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit') as PropertyDescriptor
  t.teardown(() => Object.defineProperty(Error, 'stackTraceLimit', before))
  Object.defineProperty(Error, 'stackTraceLimit', { writable: false })
  t.match(
    withoutStack(() => new Error('made')),
    { message: 'made' },
  )
  const paused = pauseStackTraces()
  t.equal(paused, undefined)
  resumeStackTraces(paused)
  t.equal(Error.stackTraceLimit, before.value)
})
