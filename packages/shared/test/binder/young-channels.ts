/** Channels that come and go, as of a program that attaches again and again: what they leave behind. */
import { createHook } from 'node:async_hooks'
import t from 'tap'
import { leakChecked, rawServer, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)
const CHANNELS = 200
/** Of others: the leak detectors have one a second, on a machine that has other things to do. */
const FEW = CHANNELS / 2

t.test('channels that come one after the other leave no timer each', async (t) => {
  let timers = 0
  const init = (_id: number, type: string) => {
    if (type === 'Timeout') timers += 1
  }
  const hook = createHook({ init }).enable()
  t.teardown(() => hook.disable())
  for (let i = 0; i < CHANNELS; i++) {
    const { proxy } = rawServer(t)
    proxy.close()
  }
  t.ok(timers < FEW, `${timers} timers`)
})
