/** All values as they are at one revision, in pages that are as small as the values are large. */
import { type Engine, EngineError } from '../engine/engine.ts'
import type { Contents } from './contents.ts'

/** Keys of a page; fewer where they are too long for an answer. */
const PAGE_KEYS = 500
/** So often a page may become shorter. */
const SHORTER = 8

/** @param onPage told how many keys there were so far. @returns the revision. @throws EngineError; ERR_LIMIT the copy has no room */
export async function readAll(engine: Engine, contents: Contents, onPage: (keys: number) => void): Promise<bigint> {
  const seen = new Set<string>()
  let at: bigint | null = null
  let after: Buffer | null = null
  let limit = PAGE_KEYS
  contents.beginFullRead()
  for (;;) {
    try {
      const page = await engine.list(after, at, limit)
      at = page.revision
      contents.load(page.values, seen)
      after = page.values.at(-1)?.key ?? after
      onPage(seen.size)
      if (page.isLast) break
    } catch (error) {
      if (!(error instanceof EngineError) || error.fault !== 'tooLarge' || limit === 1) throw error
      limit = Math.max(Math.floor(limit / SHORTER), 1)
    }
  }
  contents.finish(at, seen)
  return at
}
