/** Many watchers in several processes: what all of them have seen. */
import { setTimeout as delay } from 'node:timers/promises'

const PATIENCE_MS = 60_000
const POLL_MS = 10

/** The sum of one field of their answers. */
export function total(answers, field) {
  return answers.reduce((sum, each) => sum + each[field], 0)
}

/**
 * What all have seen, once so many have seen the last value; or after a minute.
 * @param children each with its `child` and `count`
 */
export async function untilReached(children, watchers, last) {
  const deadline = performance.now() + PATIENCE_MS
  for (;;) {
    const looks = await Promise.all(children.map(({ child }) => child.ask('look', { last })))
    if (total(looks, 'reached') >= watchers || performance.now() > deadline) return looks
    await delay(POLL_MS)
  }
}

/** @param options of each child's `watch`, beside its `count` @returns the children, and how many watch */
export async function startWatching(children, options) {
  const answers = await Promise.all(children.map(({ child, count }) => child.ask('watch', { ...options, count })))
  return total(answers, 'watching')
}
