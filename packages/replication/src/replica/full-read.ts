/** Reads all values of one revision in pages. The larger the values are, the fewer are in a page. */
import { errorCode } from '@memsvc/shared'
import { type Engine, EngineError, type Page } from '../engine/engine.ts'
import type { Contents } from './contents.ts'

/** Keys of a page; fewer where they are too long for an answer. */
const PAGE_KEYS = 500
/** So often a page may become shorter. */
const SHORTER = 8

/**
 * @param onPage called with the number of keys so far
 * @returns the revision
 * @throws EngineError; ERR_LIMIT if the copy has no room
 */
export async function readAll(engine: Engine, contents: Contents, onPage: (keys: number) => void): Promise<bigint> {
  const revision = await readWithRoom(engine, contents, onPage)
  contents.finish(revision)
  return revision
}

async function readWithRoom(engine: Engine, contents: Contents, onPage: (keys: number) => void): Promise<bigint> {
  const load = { take: (page: Page) => contents.load(page.values), onPage }
  contents.beginFullRead()
  try {
    return await readOnce(engine, contents, load)
  } catch (error) {
    if (errorCode(error) !== 'ERR_LIMIT') throw error
    // Deleted keys would take the room of existing ones.
    await readOnce(engine, contents, { take: () => undefined, onPage })
    contents.beginFullRead()
    return readOnce(engine, contents, load)
  }
}

interface Pass {
  readonly take: (page: Page) => void
  readonly onPage: (keys: number) => void
}

async function readOnce(engine: Engine, contents: Contents, { take, onPage }: Pass): Promise<bigint> {
  const seen = new Set<string>()
  let at: bigint | null = null
  for await (const page of pages(engine)) {
    at = page.revision
    take(page)
    for (const { key } of page.values) seen.add(key.toString())
    onPage(seen.size)
  }
  const revision = at ?? 0n
  contents.keepOnly(seen, revision)
  return revision
}

async function* pages(engine: Engine): AsyncGenerator<Page, void> {
  let at: bigint | null = null
  let after: Buffer | null = null
  let limit = PAGE_KEYS
  for (;;) {
    try {
      const page = await engine.list(after, at, limit)
      at = page.revision
      after = page.values.at(-1)?.key ?? after
      yield page
      if (page.isLast) return
    } catch (error) {
      if (!(error instanceof EngineError) || error.fault !== 'tooLarge' || limit === 1) throw error
      limit = Math.max(Math.floor(limit / SHORTER), 1)
    }
  }
}
