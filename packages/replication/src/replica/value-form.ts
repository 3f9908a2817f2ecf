/**
 * How values are kept in the engine, so that people and other tools can read and write them: JSON as its text; bytes
 * behind one zero byte, with which no text begins. A value of another program that is neither counts as bytes.
 */
import { isUtf8 } from 'node:buffer'

/** A value as a store has it. */
export interface FormedValue {
  /** 1 bytes, 2 JSON: docs/protocol.md, 9.1 */
  readonly type: number
  readonly bytes: Uint8Array
}

const BYTES = 1
export const JSON_TEXT = 2
const MARK = Buffer.of(0)

export function toEngine({ type, bytes }: FormedValue): Buffer {
  return type === JSON_TEXT ? Buffer.from(bytes) : Buffer.concat([MARK, bytes])
}

export function fromEngine(value: Buffer): FormedValue {
  if (value[0] === 0) return { type: BYTES, bytes: value.subarray(1) }
  return { type: isJson(value) ? JSON_TEXT : BYTES, bytes: value }
}

function isJson(value: Buffer): boolean {
  if (!isUtf8(value)) return false
  try {
    JSON.parse(value.toString())
    return true
  } catch {
    return false
  }
}
