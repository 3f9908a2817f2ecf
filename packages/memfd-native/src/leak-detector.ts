/**
 * Watches owners that should have been closed by hand. The garbage collector is a leak detector here, not a way to
 * close: what it finds is released and reported, by a process warning with the code MEMSVC_LEAK.
 */
export class LeakDetector<T extends object> {
  readonly #registry: FinalizationRegistry<T>

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
  }

  watch(owner: object, state: T): void {
    this.#registry.register(owner, state, owner)
  }

  forget(owner: object): void {
    this.#registry.unregister(owner)
  }
}
