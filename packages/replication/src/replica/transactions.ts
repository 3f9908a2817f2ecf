/**
 * Groups changes for an area: whole revisions, so that nobody sees a part of one, and not more than an area accepts in
 * one transaction.
 */
import type { EngineChange } from '../engine/engine.ts'

/** What an area takes at once. */
const MOST_EDITS = 256

/** As many whole revisions as fit in one transaction; a larger revision in parts. */
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

/** Where the middle revision begins; 0 if there is only one. */
export function middleOf(changes: readonly EngineChange[]): number {
  const isBegin = (i: number) => changes[i]?.revision !== changes[i - 1]?.revision
  const half = Math.ceil(changes.length / 2)
  for (let i = half; i < changes.length; i++) if (isBegin(i)) return i
  for (let i = half - 1; i > 0; i--) if (isBegin(i)) return i
  return 0
}
