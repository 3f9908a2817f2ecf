/**
 * What a request begins with (docs/protocol.md, section 4): strict mode policy, work source, a word for "system", and the
 * name of the interface. Every call has one, and a program has few of them: their bytes are kept.
 */
import { Buffer } from 'node:buffer'
import { withWords } from '../util/words.ts'
import { ParcelBuffer } from './parcel-buffer.ts'
import { writeString16 } from './parcel-strings.ts'

const NO_POLICY = 0
const NO_WORK_SOURCE = -1
const SYSTEM_HEADER = 0x53595354 // 'SYST'
/** Of policy and work source. */
const POLICY_BYTES = 8

/** Names come from programs, not from peers; a program that makes them up without end gets no bytes kept for the rest. */
const MAX_KEPT = 256
const kept = new Map<string, Buffer>()
/** Mostly it is the same one again. */
let last: { name: string; token: Buffer } | undefined

export function interfaceToken(name: string): Buffer {
  if (last?.name !== name) last = { name, token: kept.get(name) ?? newToken(name) }
  return last.token
}

function newToken(name: string): Buffer {
  const buffer = ParcelBuffer.obtain()
  for (const word of [NO_POLICY, NO_WORK_SOURCE, SYSTEM_HEADER]) buffer.writeInt32(word)
  writeString16(buffer, name)
  const token = withWords(Buffer.from(buffer.view(buffer.size)))
  buffer.recycle()
  if (kept.size < MAX_KEPT) kept.set(name, token)
  return token
}

/**
 * Whether the token at the position has the name of this interface. The policy and the work source of the sender are
 * ignored.
 */
export function readInterfaceToken(buffer: ParcelBuffer, name: string): boolean {
  return buffer.takeIfSame(interfaceToken(name), POLICY_BYTES)
}
