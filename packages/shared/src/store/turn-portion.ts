/**
 * Limits how much of one loop runs in a turn of the event loop. The rest follows in the next turns, so that the process can do
 * other things in between.
 */
import { Hub } from 'memfd-native'
import { now, setImmediate } from '../util/timers.ts'

const AT_ONCE = 256
const MILLISECONDS = 4

export class TurnPortion {
  readonly #onNextTurn: () => void
  /** The turn by the hub's count, and what was done in it: since when, and how often. */
  #turn = -1
  #begin = 0
  #count = 0
  #isOver = false

  /** @param onNextTurn called after `take` has answered false, once */
  constructor(onNextTurn: () => void) {
    this.#onNextTurn = onNextTurn
  }

  /** One more. @returns false: not in this turn */
  take(): boolean {
    if (this.#isOver) return false
    const { turn } = Hub.current()
    if (turn !== this.#turn) this.#enter(turn)
    this.#count += 1
    if (this.#count <= AT_ONCE && now() - this.#begin < MILLISECONDS) return true
    this.#isOver = true
    setImmediate(() => {
      this.#isOver = false
      this.#enter(turn)
      this.#onNextTurn()
    })
    return false
  }

  #enter(turn: number): void {
    this.#turn = turn
    this.#begin = now()
    this.#count = 0
  }
}
