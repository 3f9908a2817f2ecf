/** Shows on a terminal how far a transfer is. */
import type { Context } from './context.ts'

const MIB = 1024 * 1024
/** Not more often: a terminal is slow. Milliseconds. */
const PAUSE_MS = 100
const SURE_MS = 1000

export interface Progress extends Disposable {
  /** The total amount; null if it is not known. */
  show(done: number, total: number | null): void
}

/**
 * @param what the name of the work
 * @param unit the unit of the amount: bytes, or another name
 */
export function startProgress({ showProgress }: Context, what: string, unit = 'bytes'): Progress {
  let last = Number.NEGATIVE_INFINITY
  let isShown = false
  const begin = performance.now()
  return {
    show(done, total) {
      const now = performance.now()
      if (showProgress === null || now - last < PAUSE_MS) return
      last = now
      isShown = true
      showProgress(`${what} ${amount(done, total, unit)}${timeLeft(now - begin, done, total)}`)
    },
    [Symbol.dispose]() {
      if (isShown) showProgress?.('')
    },
  }
}

/** Once that is more than a guess. */
function timeLeft(elapsedMs: number, done: number, total: number | null): string {
  if (total === null || done <= 0 || done >= total || elapsedMs < SURE_MS) return ''
  const seconds = Math.ceil(((elapsedMs / done) * (total - done)) / 1000)
  return seconds < 120 ? `, ${seconds} s left` : `, ${Math.ceil(seconds / 60)} min left`
}

function amount(done: number, total: number | null, unit: string): string {
  if (unit !== 'bytes') return total === null ? `${done} ${unit}` : `${done} of ${total} ${unit}`
  const mib = (done / MIB).toFixed(1)
  return total === null ? `${mib} MiB` : `${mib} of ${(total / MIB).toFixed(1)} MiB`
}
