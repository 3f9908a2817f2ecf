/** Reads a PNG of 8 bits a channel, without interlacing: what screenshots are. */
import { inflateSync } from 'node:zlib'

const SIGNATURE_BYTES = 8
const CHANNELS = { 2: 3, 6: 4 }

/** Its size, and how many pixels have each colour, by RRGGBB. */
export function readPng(file) {
  const chunks = [...chunksOf(file)]
  const header = chunks.find(({ type }) => type === 'IHDR').data
  const [width, height, channels] = [header.readUInt32BE(0), header.readUInt32BE(4), CHANNELS[header[9]]]
  const data = Buffer.concat(chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => data))
  const rows = unfiltered(inflateSync(data), { width, height, channels })
  const colours = new Map()
  for (const row of rows) {
    for (let x = 0; x < row.length; x += channels) {
      const colour = row.toString('hex', x, x + 3)
      colours.set(colour, (colours.get(colour) ?? 0) + 1)
    }
  }
  return { width, height, colours }
}

function* chunksOf(file) {
  for (let at = SIGNATURE_BYTES; at < file.length; ) {
    const length = file.readUInt32BE(at)
    yield { type: file.toString('latin1', at + 4, at + 8), data: file.subarray(at + 8, at + 8 + length) }
    at += length + 12
  }
}

/** Each row begins with the number of its filter. */
function unfiltered(bytes, { width, height, channels }) {
  const length = width * channels
  let above = Buffer.alloc(length)
  return Array.from({ length: height }, (_, y) => {
    const start = y * (length + 1)
    const row = Buffer.from(bytes.subarray(start + 1, start + 1 + length))
    const filter = FILTERS[bytes[start]]
    for (let x = 0; x < length; x++) {
      const left = x < channels ? 0 : row[x - channels]
      const corner = x < channels ? 0 : above[x - channels]
      row[x] += filter(left, above[x], corner)
    }
    above = row
    return row
  })
}

const FILTERS = [() => 0, (left) => left, (_, up) => up, (left, up) => (left + up) >> 1, paeth]

function paeth(left, up, corner) {
  const guess = left + up - corner
  const [a, b, c] = [left, up, corner].map((value) => Math.abs(guess - value))
  if (a <= b && a <= c) return left
  return b <= c ? up : corner
}
