/** How far a transfer is, for who watches it on a terminal. */
import type { Context } from './context.ts'

const MIB = 1024 * 1024
/** Not more often: a terminal is slow. Milliseconds. */
const PAUSE_MS = 100

export interface Progress extends Disposable {
  /** Of what there is to do, or null: nobody knows. */
  show(done: number, total: number | null): void
}

/** @param what is done; @param unit what is counted: bytes, or anything else by its name */
export function startProgress({ showProgress }: Context, what: string, unit = 'bytes'): Progress {
  let last = Number.NEGATIVE_INFINITY
  let isShown = false
  return {
    show(done, total) {
      const now = performance.now()
      if (showProgress === null || now - last < PAUSE_MS) return
      last = now
      isShown = true
      showProgress(`${what} ${amount(done, total, unit)}`)
    },
    [Symbol.dispose]() {
      if (isShown) showProgress?.('')
    },
  }
}

function amount(done: number, total: number | null, unit: string): string {
  if (unit !== 'bytes') return total === null ? `${done} ${unit}` : `${done} of ${total} ${unit}`
  const mib = (done / MIB).toFixed(1)
  return total === null ? `${mib} MiB` : `${mib} of ${(total / MIB).toFixed(1)} MiB`
}
