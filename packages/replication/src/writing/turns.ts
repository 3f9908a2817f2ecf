/**
 * Sends changes of the same key to the engine one after the other, in the order of the requests. Changes of other keys go at the
 * same time.
 */
export class KeyTurns {
  readonly #last = new Map<string, Promise<void>>()

  /** Runs `act` when all that were asked for before it, of any of these keys, are over. */
  async take<T>(keys: readonly string[], act: () => Promise<T>): Promise<T> {
    const before = keys.map((key) => this.#last.get(key)).filter((turn) => turn !== undefined)
    let end: () => void = () => undefined
    const own = new Promise<void>((resolve) => {
      end = resolve
    })
    for (const key of keys) this.#last.set(key, own)
    try {
      if (before.length > 0) await Promise.all(before)
      return await act()
    } finally {
      for (const key of keys) if (this.#last.get(key) === own) this.#last.delete(key)
      end()
    }
  }
}
