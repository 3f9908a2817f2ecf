/** Values that expire. One timer serves all of them, and does not keep the process alive. The next to expire is on top of a heap. */
import {
  clearImmediate,
  clearTimeout,
  now as clock,
  LONGEST_WAIT_MS,
  setImmediate,
  setTimeout,
} from '../util/timers.ts'

interface Deadline {
  readonly key: string
  /** In milliseconds, by `now()`. */
  readonly at: number
}

/** How many keys expire in one turn of the event loop. The others that are due expire in the next turns. */
const MOST_IN_A_TURN = 64
/** Outdated deadlines are removed when there are more of them than valid ones, and more than this. */
const MAX_STALE = 64

export class Expiry {
  readonly #onExpired: (key: string) => void
  readonly #byKey = new Map<string, Deadline>()
  /** The earliest first; also such that were replaced since. */
  #heap: Deadline[] = []
  #timer: NodeJS.Timeout | undefined
  #nextTurn: NodeJS.Immediate | undefined

  /** @param onExpired called once for each key whose time is over */
  constructor(onExpired: (key: string) => void) {
    this.#onExpired = onExpired
  }

  /** How many keys have an end. */
  get size(): number {
    return this.#byKey.size
  }

  /** Those that have one. */
  get keys(): Iterable<string> {
    return this.#byKey.keys()
  }

  /** When, in milliseconds from now; undefined: never. */
  leftOf(key: string): number | undefined {
    const deadline = this.#byKey.get(key)
    return deadline === undefined ? undefined : Math.max(deadline.at - clock(), 0)
  }

  /** The key ends after so many milliseconds; whatever was said of it before is forgotten. */
  set(key: string, ttlMs: number): void {
    const deadline = { key, at: clock() + ttlMs }
    this.#byKey.set(key, deadline)
    if (this.#heap.length > MAX_STALE + 2 * this.#byKey.size) this.#sweep()
    else push(this.#heap, deadline)
    if (this.#heap[0] === deadline) this.#schedule()
  }

  /** The key does not end. */
  clear(key: string): void {
    if (this.#byKey.size > 0) this.#byKey.delete(key)
  }

  close(): void {
    clearTimeout(this.#timer)
    clearImmediate(this.#nextTurn)
    this.#byKey.clear()
    this.#heap = []
  }

  #sweep(): void {
    this.#heap = [...this.#byKey.values()].sort((a, b) => a.at - b.at)
    this.#schedule()
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    const [next] = this.#heap
    if (next === undefined || this.#nextTurn !== undefined) return
    const wait = Math.min(Math.max(Math.ceil(next.at - clock()), 1), LONGEST_WAIT_MS)
    this.#timer = setTimeout(() => this.#expire(), wait).unref()
  }

  #expire(): void {
    this.#nextTurn = undefined
    const now = clock()
    let left = MOST_IN_A_TURN
    for (let next = this.#heap[0]; next !== undefined && next.at <= now && left > 0; next = this.#heap[0]) {
      pop(this.#heap)
      if (this.#byKey.get(next.key) !== next) continue
      this.#byKey.delete(next.key)
      this.#onExpired(next.key)
      left -= 1
    }
    // Not by the timer: a turn that was long would serve that, too.
    if (left === 0) this.#nextTurn = setImmediate(() => this.#expire()).unref()
    this.#schedule()
  }
}

function push(heap: Deadline[], deadline: Deadline): void {
  let at = heap.length
  heap.push(deadline)
  while (at > 0) {
    const parent = (at - 1) >> 1
    const above = heap[parent] as Deadline
    if (above.at <= deadline.at) break
    heap[at] = above
    at = parent
  }
  heap[at] = deadline
}

function pop(heap: Deadline[]): void {
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return
  let at = 0
  for (;;) {
    const first = 2 * at + 1
    const [left, right] = [heap[first], heap[first + 1]]
    if (left === undefined) break
    const child = right !== undefined && right.at < left.at ? first + 1 : first
    const below = heap[child] as Deadline
    if (below.at >= last.at) break
    heap[at] = below
    at = child
  }
  heap[at] = last
}
