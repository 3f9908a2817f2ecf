import { errorCode } from '@memsvc/shared'
import {
  ANY_VERSION,
  checkKey,
  EXIT,
  type ExitCode,
  encodeParsed,
  exitCodeOf,
  NO_TTL,
  STORE_LIMITS,
  ToolError,
  type WireEdit,
} from '@memsvc/shared/internal'
import type { Context } from './context.ts'
import { placeOf, readInput } from './input.ts'
import { answered, findOwner, putAt, type StoreOwner } from './owner.ts'
import { startProgress } from './progress.ts'
import { checkTextLength, importedFrom, jsonLine, parseJson, textOf } from './value-text.ts'

/** One change, all of it there. */
interface Edit extends WireEdit {
  readonly bytes: Uint8Array
}

/** The most edits of a transaction, unless its owner has set another limit. */
const MAX_EDITS = STORE_LIMITS.edits.limit
/** So much of them surely fits into one call. */
const MAX_BYTES = 960 * 1024
/** A longer value is sent separately. */
const LARGE_BYTES = 64_000
/** What an edit adds to its key and value in a call, at most. */
const EDIT_BYTES = 32
/** One key may be the reason, and the others are not wrong. */
const OF_ONE_KEY = ['ERR_SECURITY', 'ERR_INVALID_ARG_VALUE', 'ERR_LIMIT', 'ERR_UNSUPPORTED_OPERATION']

/** `memclient import FILE`: each key of one JSON object is put, in transactions of what fits. Silent, but for `--json`. */
export async function importStore(context: Context, file: string): Promise<ExitCode> {
  const place = placeOf(file)
  const checkText = async (bytes: number) => checkTextLength(bytes, place)
  const edits = readEdits(textOf(await readInput(context, file, checkText), place), place)
  context.deadline.restart()
  using owner = await findOwner(context)
  using progress = startProgress(context, 'imported', 'keys')
  let done = 0
  for (const batch of batchesOf(edits)) {
    await put(context, owner, batch, () => {
      done += 1
      progress.show(done, edits.length)
    }).catch((error: unknown) => {
      throw withCount(error, done, edits.length)
    })
  }
  if (context.json) await context.print(jsonLine({ imported: done }))
  return EXIT.done
}

function readEdits(text: string, place: string): Edit[] {
  const object = parseJson(text, place)
  if (typeof object !== 'object' || object === null || Array.isArray(object)) {
    throw new ToolError(EXIT.usage, `${place} must be one JSON object, {KEY: VALUE}`)
  }
  return Object.entries(object).map(([key, value]) => {
    checkKey(key)
    return { key, ...encodeParsed(importedFrom(key, value)), ifVersion: ANY_VERSION }
  })
}

/** Groups that fit in one transaction; a large value is a group of its own. */
function* batchesOf(edits: readonly Edit[]): Generator<Edit[]> {
  let batch: Edit[] = []
  let bytes = 0
  for (const edit of edits) {
    const size = EDIT_BYTES + 2 * edit.key.length + edit.bytes.length
    const isFull = batch.length === MAX_EDITS || bytes + size > MAX_BYTES
    if (batch.length > 0 && (isFull || size > LARGE_BYTES)) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(edit)
    bytes += size
    if (size > LARGE_BYTES) bytes = Number.POSITIVE_INFINITY
  }
  if (batch.length > 0) yield batch
}

/** At once; where the owner refuses that because of some of them, one by one up to the first of those. @param onPut for each of them */
async function put(context: Context, owner: StoreOwner, batch: readonly Edit[], onPut: () => void): Promise<void> {
  const [first] = batch
  if (first === undefined) return
  try {
    if (batch.length === 1) await putOne(context, owner, first)
    else {
      context.deadline.restart()
      await answered(context, owner.name, owner.calls.update(batch))
    }
    for (const _ of batch) onPut()
  } catch (error) {
    if (batch.length === 1) throw ofKey(first.key, error)
    if (!OF_ONE_KEY.includes(errorCode(error) ?? '')) throw error
    for (const edit of batch) await put(context, owner, [edit], onPut)
  }
}

async function putOne(context: Context, owner: StoreOwner, { key, type, bytes }: Edit): Promise<void> {
  await putAt(context, owner, { key, value: { type, bytes }, ifVersion: ANY_VERSION, ttlMs: NO_TTL })
}

function ofKey(key: string, cause: unknown): ToolError {
  return new ToolError(exitCodeOf(cause), `${JSON.stringify(key)}: ${(cause as Error).message}`, { cause })
}

function withCount(cause: unknown, done: number, total: number): ToolError {
  const message = `${(cause as Error).message}; ${done} of ${total} keys were imported`
  return new ToolError(exitCodeOf(cause), message, { cause })
}
