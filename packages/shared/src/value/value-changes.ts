/**
 * A loop over the changes of a value. The service sends a oneway notice, and the value is in the region. At most one
 * notice is under way, so a slow loop gets the newest value when it asks, and never misses the last change. When the
 * service dies, the loop waits for the next one, if it can be found.
 */
import { GONE } from '../channel/death.ts'
import { IWatch } from '../interfaces/watch.ts'
import type { IBinder } from '../parcel/ibinder.ts'
import { DeadObjectError, errorCode, UnsupportedOperationError } from '../util/errors.ts'
import { Signal } from '../util/signal.ts'
import { clearTimeout, setTimeout } from '../util/timers.ts'
import { Watcher } from '../watching/watcher.ts'

/** How a loop over changes ends. */
export interface ValueChangesOptions {
  /** Ends it quietly. */
  signal?: AbortSignal | undefined
  /**
   * Whether the death of the service ends the loop with ERR_DEAD_OBJECT. By default it continues with the next service.
   */
  endOnDeath?: boolean | undefined
}

/** The value that is followed. */
export interface ValueSource {
  /** The service; null while it is away. */
  readonly binder: IBinder | null
  /** Whether it may come back. */
  readonly mayReturn: boolean
  get(): number
  /** Somebody waits for it to come back, and keeps the process alive. @returns to be called when that is over */
  keepLooking(): () => void
  onEnd(loop: ValueChanges): void
}

/** A service that does not answer is not waited for any longer. Milliseconds. */
const LEAVE_MS = 1000

const DONE = { done: true, value: undefined } as const

export class ValueChanges implements AsyncGenerator<number, void, undefined> {
  readonly #source: ValueSource
  readonly #signal: AbortSignal | undefined
  readonly #endsOnDeath: boolean
  readonly #news = new Signal()
  readonly #watcher = new Watcher(() => {
    this.#isTold = true
    this.#news.raise()
  })
  /** Whose notices come. */
  #watched: IBinder | null = null
  #isTold = false
  /** A value was given, or a notice came, and is not acknowledged. */
  #isGiven = false
  #last: number | undefined
  #isEnded = false
  /** The error with which the loop ended, for the next `next()`. */
  #failure: Error | null = null
  /** The `next()` before: they come one after the other. */
  #turn: Promise<unknown> = Promise.resolve()
  #leaving: Promise<void> = Promise.resolve()
  /** Ends the step that is under way. */
  #giveUp: (() => void) | null = null

  constructor(source: ValueSource, { signal, endOnDeath = false }: ValueChangesOptions) {
    this.#source = source
    this.#signal = signal
    this.#endsOnDeath = endOnDeath
    signal?.addEventListener('abort', this.#onAbort)
  }

  next(): Promise<IteratorResult<number, void>> {
    const result = this.#turn.then(() => this.#next())
    this.#turn = result.catch(() => undefined)
    return result
  }

  /** Ends it, and a `next()` that waits. Then the service has forgotten it, or takes its time. */
  async return(): Promise<IteratorResult<number, void>> {
    this.end()
    await this.#leaving
    return DONE
  }

  async throw(error: unknown): Promise<IteratorResult<number, void>> {
    await this.return()
    throw error
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  /** The service is there again, or gone. */
  look(): void {
    this.#news.raise()
  }

  /** No more values come. @param failure what a `next()` says once, then or now */
  end(failure: Error | null = null): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#failure = failure
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#source.onEnd(this)
    this.#giveUp?.()
    this.#news.raise()
    if (this.#watched?.isBinderAlive()) this.#leaving = leave(this.#watched, this.#watcher)
    this.#watched = null
  }

  readonly #onAbort = (): void => this.end()

  async #next(): Promise<IteratorResult<number, void>> {
    try {
      while (!this.#isEnded) {
        const value = await this.#stepOrEnd()
        if (value === undefined || this.#isEnded) continue
        this.#last = value
        this.#isGiven = true
        return { done: false, value }
      }
    } catch (error) {
      this.end()
      throw error
    }
    const failure = this.#failure
    this.#failure = null
    if (failure !== null) throw failure
    return DONE
  }

  /** A step may wait for a service that does not answer. */
  #stepOrEnd(): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      this.#giveUp = () => resolve(undefined)
      this.#step().then(resolve, reject)
    })
  }

  /** One step towards the next value. @returns undefined: it is not there yet */
  async #step(): Promise<number | undefined> {
    const { binder } = this.#source
    // One that was aborted before it began has the value at once all the same.
    if (this.#signal?.aborted && (binder === null || this.#last !== undefined)) this.end()
    if (this.#isEnded) return undefined
    if (binder === null) return this.#awaitReturn()
    if (binder !== this.#watched) return this.#begin(binder)
    if (this.#isGiven) {
      // Read once more after the acknowledgement: later changes cause a new notice.
      this.#isGiven = false
      await this.#ofService(() => IWatch.asInterface(binder).acknowledge(this.#watcher))
      if (this.#source.get() !== this.#last) return this.#source.get()
    }
    if (!this.#isTold) await this.#news.wait()
    if (!this.#isTold || this.#source.binder !== binder) return undefined
    this.#isTold = false
    this.#isGiven = true
    return this.#unlessGiven()
  }

  /** A notice can be about a change that was seen already, and a restarted service can have the old value. */
  #unlessGiven(): number | undefined {
    const value = this.#source.get()
    return value === this.#last ? undefined : value
  }

  async #begin(binder: IBinder): Promise<number | undefined> {
    this.#isTold = false
    const isWatching = await this.#ofService(() => startWatching(binder, this.#watcher))
    if (!isWatching) return undefined
    if (this.#isEnded) {
      this.#leaving = leave(binder, this.#watcher)
      return undefined
    }
    this.#watched = binder
    this.#isGiven = false
    return this.#unlessGiven()
  }

  async #awaitReturn(): Promise<undefined> {
    this.#checkMayReturn()
    this.#watched = null
    const stopLooking = this.#source.keepLooking()
    try {
      await this.#news.wait()
    } finally {
      stopLooking()
    }
    return undefined
  }

  #checkMayReturn(): void {
    if (this.#endsOnDeath || !this.#source.mayReturn) throw new DeadObjectError(GONE)
  }

  /** @returns false: the service has died, and may come back */
  async #ofService(call: () => unknown): Promise<boolean> {
    try {
      await call()
      return true
    } catch (error) {
      // Its death was told before the call failed by it.
      if (errorCode(error) !== 'ERR_DEAD_OBJECT' || this.#source.binder !== null) throw error
      this.#checkMayReturn()
      return false
    }
  }
}

async function startWatching(binder: IBinder, watcher: Watcher): Promise<void> {
  try {
    await IWatch.asInterface(binder).watch(watcher)
  } catch (error) {
    if (errorCode(error) !== 'ERR_UNKNOWN_TRANSACTION') throw error
    throw new UnsupportedOperationError('this service cannot be watched', { cause: error })
  }
}

/** The loop should get the error that ended the watching; errors of unwatching do not matter. */
function leave(binder: IBinder, watcher: Watcher): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, LEAVE_MS).unref()
    const over = () => {
      clearTimeout(timer)
      resolve()
    }
    Promise.resolve(IWatch.asInterface(binder).unwatch(watcher)).then(over, over)
  })
}
