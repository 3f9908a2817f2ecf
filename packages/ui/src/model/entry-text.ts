/** Values of a store as a person edits them: as JSON, or as text. */
import { InvalidArgValueError, type Json } from '@memsvc/shared'
import { jsonText, parseExact } from '@memsvc/shared/internal'
import type { EntryText } from './shown.ts'

interface Found {
  readonly key: string
  readonly value: unknown
  readonly version: bigint
  readonly byteLength: number
  readonly type: 'json' | 'bytes' | null
}

const PREVIEW_CHARACTERS = 120
/** More than a page's editor is good for. */
const MOST_BYTES = 1024 * 1024

export function entryText({ key, value, version, byteLength, type }: Found): EntryText {
  const facts = { key, type: type ?? 'json', version: String(version), bytes: byteLength }
  if (byteLength > MOST_BYTES) return { ...facts, text: null, mode: 'json' }
  if (value instanceof Uint8Array) return { ...facts, text: decode(value), mode: 'text' }
  return typeof value === 'string'
    ? { ...facts, text: value, mode: 'text' }
    : { ...facts, text: jsonText(value, 2), mode: 'json' }
}

/**
 * The value for the store: JSON, a string, or bytes if bytes were edited.
 * @throws ERR_INVALID_ARG_VALUE if it is not JSON, or has a number that no number of ours can hold
 */
export function readEdit({ text, mode }: { text: string; mode: string }): Json | Uint8Array {
  if (mode === 'text') return text
  if (mode === 'bytes') return new TextEncoder().encode(text)
  if (mode !== 'json')
    throw new InvalidArgValueError(`a value is edited as json, text or bytes; got ${JSON.stringify(mode)}`)
  try {
    return parseExact(text)
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw new InvalidArgValueError(`this is not JSON: ${(cause as Error).message}`, { cause })
  }
}

/** In one line. */
export function preview(value: unknown): string {
  if (value === undefined) return ''
  if (value instanceof Uint8Array) return `${value.length.toLocaleString('en')} bytes`
  const text = jsonText(value)
  return text.length > PREVIEW_CHARACTERS ? `${text.slice(0, PREVIEW_CHARACTERS - 1)}…` : text
}

function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return null
  }
}
