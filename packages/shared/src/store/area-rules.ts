/** Who may read which area of a store, and how that changes: the keys go to other areas first. */
import type { Caller } from '../binder/calling-identity.ts'
import type { AreaPlans } from './area-set.ts'
import type { AreaSize } from './area-size.ts'
import type { OwnedArea } from './owned-area.ts'
import type { AreaRule } from './owned-store-options.ts'
import type { StoreCore } from './store-core.ts'

export class AreaRules {
  readonly #core: StoreCore
  #rules: readonly AreaRule[]
  readonly #onChanging: () => void

  /**
   * @param rules of the areas that the core was made with
   * @param onChanging called just before the rules change
   */
  constructor(core: StoreCore, rules: readonly AreaRule[], onChanging: () => void) {
    this.#core = core
    this.#rules = rules
    this.#onChanging = onChanging
  }

  /** @param area its number */
  mayRead(caller: Caller, area: number): boolean {
    return this.#rules[area]?.isReadBy(caller) === true
  }

  /** @throws as StoreCore.rearrange; then the rules have not changed */
  set(rules: readonly AreaRule[]): void {
    const plans = this.#plansFor(rules)
    this.#change(rules, () => this.#core.rearrange(plans))
  }

  /** @throws as StoreCore.rearrangeInTurns */
  async setInTurns(rules: readonly AreaRule[]): Promise<void> {
    await this.#core.rearrangeInTurns(
      () => this.#plansFor(rules),
      (rearrange) => this.#change(rules, rearrange),
    )
  }

  /** An area is kept if the keys of all areas stay the same, and its readers too. */
  #plansFor(rules: readonly AreaRule[]): AreaPlans {
    const { areas } = this.#core
    const before = this.#rules
    const isSame = rules.length === before.length && rules.every(({ keys }, i) => isSameList(keys, before[i]?.keys))
    const size = areas[0]?.size as AreaSize
    return rules.map(({ keys, mayRead }, i) =>
      isSame && mayRead === before[i]?.mayRead ? (areas[i] as OwnedArea) : { patterns: keys, size },
    )
  }

  #change(rules: readonly AreaRule[], rearrange: () => void): void {
    const before = this.#rules
    this.#onChanging()
    // While the areas are replaced, listeners get the areas that they may read under the new rules.
    this.#rules = rules
    try {
      rearrange()
    } catch (error) {
      this.#rules = before
      throw error
    }
  }
}

function isSameList(a: readonly string[], b: readonly string[] = []): boolean {
  return a.length === b.length && a.every((text, i) => text === b[i])
}
