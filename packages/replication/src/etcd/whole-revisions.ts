/**
 * Answers of a watch can come in fragments. A fragment may end within a revision; then its part of the revision waits
 * for the rest.
 */
import type { EngineChange } from '../engine/engine.ts'

export class WholeRevisions {
  /** The last revision that has arrived. */
  #begun: readonly EngineChange[] = []

  /**
   * @param isFragment whether more of the same answer follows
   * @returns the changes that are complete now
   */
  take(changes: readonly EngineChange[], isFragment: boolean): readonly EngineChange[] {
    const all = [...this.#begun, ...changes]
    const last = all.at(-1)?.revision
    const begin = isFragment ? all.findIndex(({ revision }) => revision === last) : all.length
    this.#begun = all.slice(begin)
    return all.slice(0, begin)
  }
}
