/**
 * The pulse: one key that one of the machines writes about once a second. It shows whether a watch without changes is
 * alive or dead. A machine that has seen no pulse for a while writes it, with compare-and-set. A machine that sees the
 * pulse of another one asks the cluster for its revision, and the next pulse confirms that the copy has passed it.
 */
import { randomBytes } from 'node:crypto'
import { bootTime } from 'memfd-native'
import { type Engine, type EngineChange, EngineError } from '../engine/engine.ts'
import { PULSE_KEY_BYTES } from './pulse-key.ts'

export interface PulseOptions {
  readonly engine: Engine
  /** For people who look into the engine. */
  readonly machine: string
  /** False: this machine only watches. */
  readonly mayWrite: boolean
  /** The cluster was at that revision at some moment after that one, of `bootTime()`. */
  readonly onLook: (askedAt: number, revision: bigint) => void
  /** This user may not write it. */
  readonly onDenied: () => void
}

/** For so long nobody has written one before this machine does; and up to so much longer, so that not all do. Milliseconds. */
const SILENCE_MS = 800
const SPREAD_MS = 300
const TIMEOUT_MS = 2500

export class Pulse {
  readonly #options: PulseOptions
  #timer: NodeJS.Timeout | undefined
  #lookTimer: NodeJS.Timeout | undefined
  #isRunning = false
  #isBusy = false
  #mayWrite: boolean
  /** What the key has, as far as is known. */
  #revision = 0n
  #own: string | null = null

  constructor(options: PulseOptions) {
    this.#options = options
    this.#mayWrite = options.mayWrite
  }

  /** A watch is open: at once, to know soon that it is alive. */
  start(known: bigint): void {
    this.#isRunning = true
    this.#mayWrite = this.#options.mayWrite
    this.#revision = known
    void this.#beat()
  }

  stop(): void {
    this.#isRunning = false
    clearTimeout(this.#timer)
    clearTimeout(this.#lookTimer)
    this.#lookTimer = undefined
  }

  /** A pulse arrived from the watch. */
  seen({ revision, value }: EngineChange): void {
    if (!this.#isRunning || revision === this.#revision) return
    this.#revision = value === null ? 0n : revision
    this.#wait()
    // Its own said all when it was put.
    if (value?.toString() !== this.#own) this.#lookSoon()
  }

  /** Thousands of machines see the same pulse at the same moment. */
  #lookSoon(): void {
    if (this.#lookTimer !== undefined) return
    this.#lookTimer = setTimeout(() => {
      this.#lookTimer = undefined
      void this.#look()
    }, Math.random() * SPREAD_MS)
  }

  #wait(): void {
    clearTimeout(this.#timer)
    if (!this.#isRunning) return
    this.#timer = setTimeout(() => void this.#beat(), SILENCE_MS + Math.random() * SPREAD_MS)
  }

  async #beat(): Promise<void> {
    if (this.#isBusy) return this.#wait()
    this.#isBusy = true
    try {
      const isPut = this.#mayWrite && (await this.#put())
      if (!isPut) await this.#look()
    } finally {
      this.#isBusy = false
      this.#wait()
    }
  }

  /** @returns whether that says all that a look would; false: it was refused, and reading may not be */
  async #put(): Promise<boolean> {
    const text = JSON.stringify({ machine: this.#options.machine, beat: randomBytes(8).toString('hex') })
    const askedAt = bootTime()
    this.#own = text
    try {
      const { isDone, revision, present } = await this.#options.engine.commit(
        {
          conditions: [{ key: PULSE_KEY_BYTES, revision: this.#revision }],
          edits: [{ key: PULSE_KEY_BYTES, value: Buffer.from(text) }],
        },
        TIMEOUT_MS,
      )
      if (!this.#isRunning) return true
      // Somebody was quicker, or the watch is behind.
      if (!isDone) this.#revision = present[0]?.revision ?? 0n
      this.#options.onLook(askedAt, revision)
      return true
    } catch (error) {
      const fault = error instanceof EngineError ? error.fault : 'unknown'
      if (fault === 'denied') {
        this.#mayWrite = false
        this.#options.onDenied()
      }
      return !['denied', 'full', 'refused'].includes(fault) // of any other the age says it
    }
  }

  async #look(): Promise<void> {
    const askedAt = bootTime()
    try {
      const { revision } = await this.#options.engine.look(PULSE_KEY_BYTES)
      if (this.#isRunning) this.#options.onLook(askedAt, revision)
    } catch {
      // the age says it
    }
  }
}
