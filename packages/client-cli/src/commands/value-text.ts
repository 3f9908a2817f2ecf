/** Values of a store as text, on the command line and in files. */
import type { Json } from '@memsvc/shared'
import { EXIT, ToolError } from '@memsvc/shared/internal'

/** What of it V8 cannot have in one string is no text. */
const MAX_TEXT_BYTES = 512 * 1024 * 1024 - 24
/** Numbers that could be too large for a double: it is looked at each number then. */
const HUGE_NUMBER = /[eE]\+?\d{3}|\d{300}/
/** JSON leaves them as they are, terminals obey them. */
const CONTROLS = /[\u007f-\u009f]/g

/** What bytes of a store are in JSON. */
export interface JsonBytes {
  readonly $bytes: string
}

/** A value of a store, with what is told of it. */
interface Entry {
  readonly key: string
  readonly value: unknown
  readonly version: bigint
  readonly type: 'json' | 'bytes' | null
}

/** JSON, else a string. @throws ToolError with EXIT.usage: a number that no number of ours can hold */
export function parseValue(text: string): Json {
  try {
    return parse(text)
  } catch (error) {
    if (error instanceof ToolError) throw error
    return text
  }
}

/** Of `place`. @throws ToolError with EXIT.usage: it is no JSON, or as parseValue */
export function parseJson(text: string, place: string): Json {
  try {
    return parse(text)
  } catch (cause) {
    if (cause instanceof ToolError) throw cause
    throw new ToolError(EXIT.usage, `${place} is no JSON: ${(cause as Error).message}`, { cause })
  }
}

/** The text of a file or of stdin, without its last line end. @throws ToolError with EXIT.usage: it is none */
export function textOf(bytes: Uint8Array, place: string): string {
  checkTextLength(bytes.length, place)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/\r?\n$/, '')
  } catch (cause) {
    throw new ToolError(EXIT.usage, `${place} is no text in UTF-8; --bytes takes it as it is`, { cause })
  }
}

/** What `get` prints. */
export function formatEntry(json: boolean, { key, value, version, type }: Entry): string | Uint8Array {
  if (json) return jsonLine({ key, value: jsonOf(value), version: jsonVersion(version), type })
  return value instanceof Uint8Array ? value : jsonLine(value)
}

/** @throws ToolError with EXIT.usage */
export function checkTextLength(bytes: number, place: string): void {
  if (bytes > MAX_TEXT_BYTES) throw new ToolError(EXIT.usage, `${place} is too long for a text`)
}

/** JSON in one line, that no terminal obeys. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(CONTROLS, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** A version as a number, where a number can hold it. */
export function jsonVersion(version: bigint): number | string {
  return version <= Number.MAX_SAFE_INTEGER ? Number(version) : String(version)
}

/** A value as JSON can say it. */
export function jsonOf(value: unknown): unknown {
  if (!(value instanceof Uint8Array)) return value
  return { $bytes: Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64') } satisfies JsonBytes
}

/** What is read as infinite would be written as null. */
function parse(text: string): Json {
  if (!HUGE_NUMBER.test(text)) return JSON.parse(text) as Json
  return JSON.parse(text, (_key, value) => {
    if (typeof value !== 'number' || Number.isFinite(value)) return value
    throw new ToolError(EXIT.usage, 'a number is beyond 1.8e308')
  }) as Json
}
