/**
 * Spare storage for parcels that fill a packet, because allocating and collecting so much memory takes longer than
 * sending it. It is lent to one parcel at a time. Its old contents do not matter: code that makes a parcel larger
 * writes the new bytes.
 */
import { Buffer } from 'node:buffer'
import { withWords } from '../util/words.ts'

/** A packet of 64 KiB, and half as much again: so parcels grow. */
export const LARGE_BYTES = 96 * 1024
/** As many as a few channels need at once; more are allocated. */
const MAX_SPARE = 8

const spare: Buffer[] = []
const made = new WeakSet<Buffer>()

export function takeLarge(): Buffer {
  const known = spare.pop()
  if (known !== undefined) return known
  const storage = withWords(Buffer.allocUnsafeSlow(LARGE_BYTES))
  made.add(storage)
  return storage
}

/** Returns storage that is not used any more. Storage from elsewhere is left to the garbage collector. */
export function giveBack(storage: Buffer): void {
  if (storage.length === LARGE_BYTES && spare.length < MAX_SPARE && made.has(storage)) spare.push(storage)
}
