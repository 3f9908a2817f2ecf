/** Connections to one node, as many as are asked at a time; a few are kept for who asks next. Who asks when there are too many waits for one. */
import { Connection, type ConnectionOptions } from './connection.ts'

/** At a time. */
const MOST = 64
const MOST_KEPT = 8

export class Connections {
  readonly #options: ConnectionOptions
  readonly #open = new Set<Connection>()
  readonly #idle: Connection[] = []
  #waiting: ((connection: Connection) => void)[] = []

  constructor(options: Omit<ConnectionOptions, 'onGone'>) {
    this.#options = { ...options, onGone: (connection) => this.#gone(connection) }
  }

  /** Hands one over, now or later, until it is given back or gone. @returns ends the waiting */
  take(use: (connection: Connection) => void): () => void {
    const kept = this.#idle.pop()
    if (kept !== undefined) use(kept)
    else if (this.#open.size < MOST) use(this.#make())
    else this.#waiting.push(use)
    return () => {
      this.#waiting = this.#waiting.filter((each) => each !== use)
    }
  }

  /** Its answer has ended. */
  giveBack(connection: Connection): void {
    if (!this.#open.has(connection)) return
    const next = this.#waiting.shift()
    if (next !== undefined) {
      next(connection)
      return
    }
    this.#idle.push(connection)
    if (this.#idle.length > MOST_KEPT) this.#idle.shift()?.giveUp('is not needed')
  }

  /** What is kept may lead nowhere by now: what is sent there may arrive, or not. */
  dropIdle(): void {
    for (const connection of [...this.#idle]) connection.giveUp('is not needed')
  }

  close(): void {
    this.#waiting = []
    for (const connection of [...this.#open]) connection.giveUp('was closed')
  }

  #make(): Connection {
    const connection = new Connection(this.#options)
    this.#open.add(connection)
    return connection
  }

  #gone(connection: Connection): void {
    this.#open.delete(connection)
    const at = this.#idle.indexOf(connection)
    if (at >= 0) this.#idle.splice(at, 1)
    if (this.#open.size < MOST) this.#waiting.shift()?.(this.#make())
  }
}
