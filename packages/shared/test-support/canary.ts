/** A client that has nothing to do with what is done to the daemon: it writes, reads and watches all the while. */
import { setTimeout as delay } from 'node:timers/promises'
import type { SharedValue } from '../src/value/shared-value.ts'

const PAUSE_MS = 1

/** Nobody else may write the value while it lives: every value it reads must be the one that it wrote last. */
export class Canary {
  /** What went wrong: values that nobody wrote, or not in this order, and errors. */
  readonly complaints: string[] = []
  /** Milliseconds that each write took, until its new value could be read. */
  durations: number[] = []
  readonly #value: SharedValue
  readonly #stop = new AbortController()
  readonly #isOver: Promise<unknown>
  #written = 0
  #watched = 0

  /** The value stays the caller's. */
  constructor(value: SharedValue) {
    this.#value = value
    this.#written = value.get()
    this.#isOver = Promise.all([this.#write(), this.#watch()].map((life) => life.catch((error) => this.#fail(error))))
  }

  get value(): SharedValue {
    return this.#value
  }

  /** Resolves when it has written, read and watched something that was not there at the call. */
  async sing(): Promise<void> {
    const before = this.#written
    while (this.#watched <= before && this.complaints.length === 0) await delay(PAUSE_MS)
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#isOver
  }

  async #write(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const begin = performance.now()
      await this.#value.set(this.#written + 1)
      this.#written += 1
      const read = this.#value.get()
      this.durations.push(performance.now() - begin)
      if (read !== this.#written) this.complaints.push(`read ${read} after writing ${this.#written}`)
      await delay(PAUSE_MS)
    }
  }

  async #watch(): Promise<void> {
    for await (const value of this.#value.changes({ signal: this.#stop.signal })) {
      if (value < this.#watched) this.complaints.push(`watched ${value} after ${this.#watched}`)
      this.#watched = value
    }
  }

  #fail(error: unknown): void {
    this.complaints.push(String(error))
  }
}
