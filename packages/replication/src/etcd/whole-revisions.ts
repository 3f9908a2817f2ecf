/** Answers of a watch that come in fragments, of which one may end within a revision: what has come of it waits for the rest. */
import type { EngineChange } from '../engine/engine.ts'

export class WholeRevisions {
  /** Of the last revision that has come. */
  #begun: readonly EngineChange[] = []

  /** @param isFragment more of the same answer comes. @returns what is complete now */
  take(changes: readonly EngineChange[], isFragment: boolean): readonly EngineChange[] {
    const all = [...this.#begun, ...changes]
    const last = all.at(-1)?.revision
    const begin = isFragment ? all.findIndex(({ revision }) => revision === last) : all.length
    this.#begun = all.slice(begin)
    return all.slice(0, begin)
  }
}
