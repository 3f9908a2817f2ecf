import { errorCode } from '@memsvc/shared'
import { EXIT, type ExitCode, type Freshness, type StoreReader, ToolError, typeName } from '@memsvc/shared/internal'
import type { Context } from './context.ts'
import { absent, storeName } from './key.ts'
import type { Print } from './output.ts'
import { answered, findOwner, openReaderOf, type StoreOwner } from './owner.ts'
import { printTo } from './save.ts'
import { readMaxAge } from './store-options.ts'
import { type Copied, formatEntry } from './value-text.ts'

/** Longer bytes are read in parts of this size. */
const PART_BYTES = 64 * 1024 * 1024

/** `memclient get KEY`: the value, from the area. JSON is text in one line; bytes come as they are. */
export async function get(context: Context, key: string): Promise<ExitCode> {
  const maxAgeMs = readMaxAge(context.options.maxAge)
  using owner = await findOwner(context)
  using store = await openReaderOf(context, owner)
  const { freshness } = store
  checkAge(freshness, maxAgeMs, storeName(context))
  const stored = store.stored(key)
  stored.look()
  if (stored.byteLength > PART_BYTES && !context.json && typeName(stored.type) === 'bytes') {
    const { version } = stored
    await printTo(context, (print) => printParts(store, { key, version }, print))
    return EXIT.done
  }
  const entry = store.getEntry(key)
  if (entry.type === null) throw absent(key, storeName(context))
  const copied = context.json && freshness !== null ? await copiedOf(context, { owner, freshness, entry }) : null
  await printTo(context, (print) => print(formatEntry(context.json, entry, copied)))
  return EXIT.done
}

/**
 * What a copy says about itself and the value that was read. The revision is known only while the value is the current
 * one.
 */
async function copiedOf(
  context: Context,
  { owner, freshness, entry }: { owner: StoreOwner; freshness: Freshness; entry: { key: string; version: bigint } },
): Promise<Copied> {
  const { version, revision } = await answered(context, owner.name, owner.calls.origin(entry.key))
  return { ...freshness, revision: version === entry.version ? revision : null }
}

/**
 * Before the value is read, so the value is at least as new.
 * @throws ToolError if the copy is older
 */
function checkAge(freshness: Freshness | null, maxAgeMs: number | undefined, name: string): void {
  if (maxAgeMs === undefined || freshness === null || freshness.ageMs <= maxAgeMs) return
  const { state, ageMs } = freshness
  const age = Number.isFinite(ageMs) ? `${(ageMs / 1000).toFixed(1)} s old` : 'of unknown age'
  throw new ToolError(EXIT.tryAgain, `the copy in ${name} is ${age} (${state})`)
}

/** Bytes that need not fit into memory: all of one version, or an error that says that they are not. */
async function printParts(
  store: StoreReader,
  { key, version }: { key: string; version: bigint },
  print: Print,
): Promise<void> {
  const part = Buffer.allocUnsafe(PART_BYTES)
  for (let position = 0; ; ) {
    const count = readPart(store, key, part, { position, version })
    if (count === 0) return
    await print(part.subarray(0, count))
    position += count
  }
}

function readPart(
  store: StoreReader,
  key: string,
  part: Uint8Array,
  where: { position: number; version: bigint },
): number {
  try {
    return store.readBytes(key, part, where)
  } catch (cause) {
    if (errorCode(cause) !== 'ERR_CONFLICT') throw cause
    const message = `${key} was changed while it was read: the output is not complete`
    throw new ToolError(EXIT.tryAgain, message, { cause })
  }
}
