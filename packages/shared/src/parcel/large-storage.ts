/**
 * Storage of parcels that fill a packet: to allocate as much for each of them, and have it collected, takes longer than to send it. Lent to
 * one parcel at a time. What is in it is nobody's data: whoever lets the size of a parcel grow writes those bytes.
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

/** Nobody uses it any more. What comes from elsewhere is left to the garbage collector. */
export function giveBack(storage: Buffer): void {
  if (storage.length === LARGE_BYTES && spare.length < MAX_SPARE && made.has(storage)) spare.push(storage)
}
