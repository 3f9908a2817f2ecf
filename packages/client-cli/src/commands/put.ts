import {
  ANY_VERSION,
  checkKey,
  type Encoded,
  EXIT,
  type ExitCode,
  encodeParsed,
  NO_TTL,
  ToolError,
} from '@memsvc/shared/internal'
import type { Context } from './context.ts'
import { placeOf, readInput } from './input.ts'
import { checkSize, findOwner, putAt, versionOf } from './owner.ts'
import { readTtl, readVersion } from './store-options.ts'
import { jsonLine, jsonVersion, parseValue, textOf } from './value-text.ts'

/** `memclient put KEY [VALUE]`: asks the owner to store the value. Prints nothing without `--json`. */
export async function put(context: Context, key: string, text?: string): Promise<ExitCode> {
  const { file, bytes = false, ifVersion, ttl } = context.options
  checkKey(key)
  const conditions = { ifVersion: readVersion(ifVersion) ?? ANY_VERSION, ttlMs: readTtl(ttl) ?? NO_TTL }
  if (text !== undefined && file !== undefined) throw new ToolError(EXIT.usage, 'VALUE and --file exclude each other')
  const given = text === undefined ? null : encodedOf(text, bytes)
  using owner = await findOwner(context) // before stdin is read: whoever types is told at once
  const value =
    given ??
    (await readValue(context, { file, asBytes: bytes, check: (size) => checkSize(context, owner, { key, size }) }))
  const outcome = await putAt(context, owner, { key, value, ...conditions })
  const version = versionOf(outcome, key)
  if (context.json) await context.print(jsonLine({ key, version: jsonVersion(version) }))
  return EXIT.done
}

interface Source {
  readonly file: string | undefined
  readonly asBytes: boolean
  readonly check: (bytes: number) => Promise<void>
}

async function readValue(context: Context, { file, asBytes, check }: Source): Promise<Encoded> {
  const input = await readInput(context, file, check)
  context.deadline.restart()
  return asBytes ? encodeParsed(input) : encodedOf(textOf(input, placeOf(file), '; --bytes stores it as it is'), false)
}

function encodedOf(text: string, asBytes: boolean): Encoded {
  return encodeParsed(asBytes ? Buffer.from(text) : parseValue(text))
}
