/**
 * Watches owners that should have been closed by hand. The garbage collector is a leak detector here, not a way to
 * close: what it finds is released and reported, by a process warning with the code MEMSVC_LEAK.
 *
 * To be registered for finalization costs an object more than the rest of a short life, and keeps it through every minor
 * collection. So owners are registered when they are a second old; until then they are held.
 */
import process from 'node:process'
import { checkFunction, checkObject } from './argument.ts'
import { nodeTimers } from './timers.ts'

const REGISTER_AFTER_MS = 1000

const all = new Set<LeakDetector<Watched>>()

/** What remains of an owner when it is collected. */
export interface Watched {
  /** Only for the detector: where it keeps the owner before it is registered. */
  place?: number
}

const NOWHERE = -1

/** Finds objects that were garbage collected without being closed. */
export class LeakDetector<T extends Watched> {
  readonly #registry: FinalizationRegistry<T>
  /**
   * Owners that are not registered yet, with their states: the first `#count`. A Map with frequent changes leaves
   * garbage that lasts, and an array that becomes empty frees its memory and must allocate it again.
   */
  #owners: (object | undefined)[] = []
  #states: (T | undefined)[] = []
  #count = 0
  #isScheduled = false

  /** Only for tests: registers all owners now. */
  static registerAll(): void {
    for (const detector of all) detector.#registerAll()
  }

  /**
   * @param release releases the resource of a state, and returns its description; null if it was released already. The
   *   state must not refer to its owner, or the owner is never collected.
   */
  constructor(release: (state: T) => string | null) {
    checkFunction('release', release)
    this.#registry = new FinalizationRegistry((state) => {
      const leaked = release(state)
      if (leaked !== null) {
        process.emitWarning(`${leaked} was garbage collected and never closed`, { code: 'MEMSVC_LEAK' })
      }
    })
    all.add(this as unknown as LeakDetector<Watched>)
  }

  /** Watches an owner from now on. `state` remains when the owner is collected; each owner has its own. */
  watch(owner: object, state: T): void {
    checkObject('owner', owner)
    checkObject('state', state)
    state.place = this.#count++
    this.#owners[state.place] = owner
    this.#states[state.place] = state
    if (this.#isScheduled) return
    this.#isScheduled = true
    nodeTimers.setTimeout(() => this.#registerAll(), REGISTER_AFTER_MS).unref()
  }

  /** Stops watching an owner, because it was closed. Idempotent. */
  forget(owner: object, state: T): void {
    checkObject('owner', owner)
    checkObject('state', state)
    const { place = NOWHERE } = state
    if (this.#states[place] !== state) this.#registry.unregister(owner)
    else this.#takeOut(place)
    state.place = NOWHERE
  }

  /** The last one takes its place. */
  #takeOut(place: number): void {
    this.#count -= 1
    const owner = this.#owners[this.#count]
    const state = this.#states[this.#count] as T
    this.#owners[place] = owner
    this.#states[place] = state
    state.place = place
    this.#owners[this.#count] = undefined
    this.#states[this.#count] = undefined
  }

  #registerAll(): void {
    this.#isScheduled = false
    const [owners, states, count] = [this.#owners, this.#states, this.#count]
    this.#owners = []
    this.#states = []
    this.#count = 0
    for (let i = 0; i < count; i++) {
      const [owner, state] = [owners[i] as object, states[i] as T]
      state.place = NOWHERE
      this.#registry.register(owner, state, owner)
    }
  }
}
