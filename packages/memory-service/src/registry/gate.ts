/** Shut until what is behind it can be used: who comes earlier waits. */
export class Gate {
  #isOpen = false
  #open: () => void = () => undefined
  readonly #opened = new Promise<void>((resolve) => {
    this.#open = resolve
  })

  /** For ever. */
  open(): void {
    this.#isOpen = true
    this.#open()
  }

  /** Does it now, if the gate is open, or as soon as it is. */
  pass<T>(act: () => T | Promise<T>): T | Promise<T> {
    return this.#isOpen ? act() : this.#opened.then(act)
  }
}
