/**
 * Watches owners that should have been closed by hand. The garbage collector is a leak detector here, not a way to
 * close: what it finds is released and reported, by a process warning with the code MEMSVC_LEAK.
 *
 * To be registered for finalization costs an object more than the rest of a short life, and keeps it through every minor
 * collection. So owners are registered when they are a second old; until then they are held.
 */
const YOUTH_MS = 1000

const all = new Set<LeakDetector<object>>()

/** For owners of something that must be closed, which are watched from their making to their closing. */
export class LeakDetector<T extends object> {
  readonly #registry: FinalizationRegistry<T>
  readonly #young = new Map<object, T>()
  #isAging = false

  /** For tests, which do not wait: nobody is young any more. */
  static ageAll(): void {
    for (const detector of all) detector.#age()
  }

  /**
   * @param release ends what a state stands for, and says what it was; null when it had ended already.
   * The state must not hold its owner, or the owner is never found.
   */
  constructor(release: (state: T) => string | null) {
    this.#registry = new FinalizationRegistry((state) => {
      const leaked = release(state)
      if (leaked !== null) {
        process.emitWarning(`${leaked} was garbage collected and never closed`, { code: 'MEMSVC_LEAK' })
      }
    })
    all.add(this as LeakDetector<object>)
  }

  /** From now on; `state` is what remains of the owner when it is found. */
  watch(owner: object, state: T): void {
    this.#young.set(owner, state)
    if (this.#isAging) return
    this.#isAging = true
    setTimeout(() => this.#age(), YOUTH_MS).unref()
  }

  /** It was closed. */
  forget(owner: object): void {
    if (!this.#young.delete(owner)) this.#registry.unregister(owner)
  }

  #age(): void {
    this.#isAging = false
    for (const [owner, state] of this.#young) this.#registry.register(owner, state, owner)
    this.#young.clear()
  }
}
