/** What lasts as long as a measurement. The helpers of the tests take it for a test. */
export class Scope {
  #endings = []

  teardown(ending) {
    this.#endings.push(ending)
  }

  /** The last one first. */
  async end() {
    for (const ending of this.#endings.splice(0).reverse()) await ending()
  }
}
