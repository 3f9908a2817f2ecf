/** Values of a store as text, on the command line and in files. */
import type { Json } from '@memsvc/shared'
import { EXIT, jsonText, parseExact, ToolError } from '@memsvc/shared/internal'

/** Bytes that do not fit in one string of V8 are not accepted as text. */
const MAX_TEXT_BYTES = 512 * 1024 * 1024 - 24
/** JSON leaves them as they are, terminals obey them. */
const CONTROLS = /[\u007f-\u009f]/g

/** What bytes of a store are in JSON. */
export interface JsonBytes {
  readonly $bytes: string
}

/** A value of a store with its facts. */
interface Entry {
  readonly key: string
  readonly value: unknown
  readonly version: bigint
  readonly type: 'json' | 'bytes' | null
}

/** JSON, else a string. @throws ERR_INVALID_ARG_VALUE a number that no number of ours can hold */
export function parseValue(text: string): Json {
  try {
    return parseExact(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return text
  }
}

/** Of `place`. @throws ToolError with EXIT.usage: it is no JSON, or has a number that no number of ours can hold */
export function parseJson(text: string, place: string): Json {
  try {
    return parseExact(text)
  } catch (cause) {
    const where = cause instanceof SyntaxError ? `${place} is not JSON` : place
    throw new ToolError(EXIT.usage, `${where}: ${(cause as Error).message}`, { cause })
  }
}

/** The text of a file or of stdin, without its last line end. @param advice what else can be done @throws ToolError with EXIT.usage: it is none */
export function textOf(bytes: Uint8Array, place: string, advice = ''): string {
  checkTextLength(bytes.length, place)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/\r?\n$/, '')
  } catch {
    throw new ToolError(EXIT.usage, `${place} is not UTF-8 text${advice}`)
  }
}

/** Of a value that is a copy. */
export interface Copied {
  readonly state: string
  /** Milliseconds; Infinity: nothing is known. */
  readonly ageMs: number
  /** The revision of the origin up to which the copy is complete. */
  readonly applied: bigint
  /** The revision of the origin that wrote the value; null if the value changed during the question. */
  readonly revision: bigint | null
}

/** What `get` prints. */
export function formatEntry(
  json: boolean,
  { key, value, version, type }: Entry,
  copied: Copied | null = null,
): string | Uint8Array {
  if (json) {
    const entry = { key, value: jsonOf(value), version: jsonVersion(version), type }
    return jsonLine(copied === null ? entry : { ...entry, ...jsonCopied(copied) })
  }
  return value instanceof Uint8Array ? value : jsonLine(value)
}

/** @throws ToolError with EXIT.usage */
export function checkTextLength(bytes: number, place: string): void {
  if (bytes > MAX_TEXT_BYTES) throw new ToolError(EXIT.usage, `${place} is too long for a string`)
}

/** JSON in one line, that no terminal obeys. */
export function jsonLine(value: unknown): string {
  return jsonText(value).replace(CONTROLS, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function jsonCopied({ state, ageMs, applied, revision }: Copied): object {
  return {
    state,
    ageMs: Number.isFinite(ageMs) ? Math.round(ageMs) : null,
    revision: revision === null ? null : jsonVersion(revision),
    applied: jsonVersion(applied),
  }
}

/** A version as a number, if a number can represent it. */
export function jsonVersion(version: bigint): number | string {
  return version <= Number.MAX_SAFE_INTEGER ? Number(version) : String(version)
}

/** A value as JSON can say it. */
export function jsonOf(value: unknown): unknown {
  if (!(value instanceof Uint8Array)) return value
  return { $bytes: Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64') } satisfies JsonBytes
}

/** Bytes that a person is shown of a value. */
const SHOWN_BYTES = 192

/** As jsonOf, for people: of long bytes the beginning, and how many they are. The dots keep it from being taken for all of them. */
export function shortJsonOf(value: unknown): unknown {
  if (!(value instanceof Uint8Array) || value.length <= SHOWN_BYTES) return jsonOf(value)
  const { $bytes } = jsonOf(value.subarray(0, SHOWN_BYTES)) as JsonBytes
  return { $bytes: `${$bytes}...`, byteLength: value.length }
}

/** As jsonOf, and `importedFrom` makes of it what it was: JSON that looks like bytes has one $ more. */
export function exportedOf(value: unknown): unknown {
  const key = bytesKeyOf(value)
  return key === null ? jsonOf(value) : { [`$${key}`]: (value as Record<string, unknown>)[key] }
}

/**
 * Decodes an exported value.
 * @throws ToolError with EXIT.usage if it looks like bytes, but is not base64
 */
export function importedFrom(name: string, exported: Json): Json | Uint8Array {
  const key = bytesKeyOf(exported)
  if (key === null) return exported
  const content = (exported as Record<string, Json>)[key] as Json
  if (key !== BYTES_KEY) return { [key.slice(1)]: content }
  if (typeof content !== 'string') return exported // by hand, or by memsvc before 0.3
  const bytes = Buffer.from(content, 'base64')
  if (bytes.toString('base64').replace(/=*$/, '') === content.replace(/=*$/, '')) return bytes
  throw new ToolError(EXIT.usage, `the $bytes of ${JSON.stringify(name)} are not base64`)
}

const BYTES_KEY = '$bytes'

/** `$bytes`, or the same with more `$`, if it is the only key of an object; otherwise null. */
function bytesKeyOf(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || Array.isArray(value)) return null
  const [key = '', ...others] = Object.keys(value)
  return others.length === 0 && /^\$+bytes$/.test(key) ? key : null
}
