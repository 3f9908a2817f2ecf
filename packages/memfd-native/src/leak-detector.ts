/**
 * Watches owners that should have been closed by hand. The garbage collector is a leak detector here, not a way to
 * close: what it finds is released and reported, by a process warning with the code MEMSVC_LEAK.
 *
 * To be registered for finalization costs an object more than the rest of a short life, and keeps it through every minor
 * collection. So owners are registered when they are a second old; until then they are held.
 */
const REGISTER_AFTER_MS = 1000

const all = new Set<LeakDetector<object>>()

/** For owners of something that must be closed, which are watched from their making to their closing. */
export class LeakDetector<T extends object> {
  readonly #registry: FinalizationRegistry<T>
  readonly #unregistered = new Map<object, T>()
  #isScheduled = false

  /** For tests, which do not wait: registers all owners now. */
  static registerAll(): void {
    for (const detector of all) detector.#registerAll()
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
    this.#unregistered.set(owner, state)
    if (this.#isScheduled) return
    this.#isScheduled = true
    setTimeout(() => this.#registerAll(), REGISTER_AFTER_MS).unref()
  }

  /** It was closed. */
  forget(owner: object): void {
    if (!this.#unregistered.delete(owner)) this.#registry.unregister(owner)
  }

  #registerAll(): void {
    this.#isScheduled = false
    for (const [owner, state] of this.#unregistered) this.#registry.register(owner, state, owner)
    this.#unregistered.clear()
  }
}
