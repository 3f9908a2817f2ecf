/** A table as a GeoIP database has it: for each range of addresses a place. Sorted records of 16 bytes, read one at a time. */

export const RECORD_BYTES = 16

/** As many records as fit, over all addresses. @param edition in each record, so that a mix of two tables would show */
export function makeTable(bytes, edition) {
  const count = Math.floor(bytes / RECORD_BYTES)
  const words = new Uint32Array((count * RECORD_BYTES) / 4)
  const step = 2 ** 32 / count
  for (let i = 0; i < count; i++) {
    words[4 * i] = Math.ceil(i * step) // the first address of the range
    words[4 * i + 1] = placeOf(words[4 * i])
    words[4 * i + 2] = edition
  }
  return new Uint8Array(words.buffer)
}

/** What a right answer is: for the example to check. */
export function placeOf(firstAddress) {
  return Math.imul(firstAddress, 2654435761) >>> 0
}

/**
 * The record of an address, by halving.
 * @param readAt copies the record at a position into `record`
 */
export function lookUp(address, count, { record, readAt }) {
  let low = 0
  let high = count - 1
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    readAt(middle * RECORD_BYTES)
    if (record[0] <= address) low = middle
    else high = middle - 1
  }
  readAt(low * RECORD_BYTES)
  return { first: record[0], place: record[1], edition: record[2] }
}
