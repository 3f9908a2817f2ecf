/** The time of calls: those that came together share a look at the clock, and nothing else does. */
import t from 'tap'
import { beginPacket, beginTime, callTime, endPacket } from '../../src/util/packet-clock.ts'

/** Without the event loop, as a method that takes its time. */
function waitUntilLaterThan(time: number): void {
  while (Date.now() <= time);
}

t.test('calls that came together have the same time, those behind them their own', async (t) => {
  beginTime()
  beginPacket()
  const first = callTime()
  waitUntilLaterThan(first)
  t.equal(callTime(), first)
  endPacket()
  beginPacket()
  t.equal(callTime(), first)
  endPacket()
  beginTime()
  beginPacket()
  t.ok(callTime() > first)
  endPacket()
})

t.test('code outside a packet gets the current time', async (t) => {
  const before = callTime()
  waitUntilLaterThan(before)
  t.ok(callTime() > before)
})
