/** Changes as they go into an area: whole revisions, so that nobody sees a part of one, and no more of them than an area takes at once. */
import type { EngineChange } from '../engine/engine.ts'

/** What an area takes at once. */
const MOST_EDITS = 256

/** Whole revisions, as many as go together; one that is larger in parts. */
export function* inTransactions(changes: readonly EngineChange[]): Generator<readonly EngineChange[], void> {
  let begin = 0
  let whole = 0
  for (const [i, { revision }] of changes.entries()) {
    if (revision !== changes[i - 1]?.revision) whole = i
    if (i - begin < MOST_EDITS) continue
    const end = whole > begin ? whole : i
    yield changes.slice(begin, end)
    begin = end
  }
  if (begin < changes.length) yield changes.slice(begin)
}

/** Where the revision begins that is in the middle; 0: there is only one. */
export function middleOf(changes: readonly EngineChange[]): number {
  const isBegin = (i: number) => changes[i]?.revision !== changes[i - 1]?.revision
  const half = Math.ceil(changes.length / 2)
  for (let i = half; i < changes.length; i++) if (isBegin(i)) return i
  for (let i = half - 1; i > 0; i--) if (isBegin(i)) return i
  return 0
}
