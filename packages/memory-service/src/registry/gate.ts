/** A gate that is closed until the thing behind it can be used. Early callers wait. */
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

  /** Calls the function now if the gate is open, otherwise as soon as it opens. */
  pass<T>(act: () => T | Promise<T>): T | Promise<T> {
    return this.#isOpen ? act() : this.#opened.then(act)
  }
}
