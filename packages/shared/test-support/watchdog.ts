/** Ends a test that hangs, and says what it may be waiting for. No assertion about time: only tests that never end meet it. */
import type { Test } from 'tap'
import { openDescriptors, sharedMappings } from './inventory.ts'

/** Tests of many floods have been seen to take 55 s, on a machine that had other things to do. */
const LIMIT_MS = 180_000

/** Watches every test below `t`. The timer keeps no process alive: a test that waits for nothing at all ends by itself. */
export function watchdog(t: Test, limitMs = LIMIT_MS): void {
  const timers = new WeakMap<Test, NodeJS.Timeout>()
  t.beforeEach((test) => {
    timers.set(test, setTimeout(() => end(test, limitMs), limitMs).unref())
  })
  t.afterEach((test) => clearTimeout(timers.get(test)))
}

function end(test: Test, limitMs: number): void {
  const resources = process.getActiveResourcesInfo().map((name) => `resource ${name}`)
  const held = [...resources, ...openDescriptors(), ...sharedMappings()]
  process.stderr.write(`"${test.name}" hangs since ${limitMs} ms. This process holds:\n${held.join('\n')}\n`)
  test.timeout({ expired: test.name })
}
