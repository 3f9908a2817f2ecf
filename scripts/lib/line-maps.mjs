/**
 * Makes source maps by lines: for each line of a bundle they name its source and line. That is all that a stack shows. Maps that
 * also know the place of each word would be five times as large.
 */
import { readFileSync, writeFileSync } from 'node:fs'

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const VALUES = new Map(Array.from(DIGITS, (digit, value) => [digit, value]))
/** Of six bits of a digit the highest says that another one follows. */
const MORE = 32

/** Makes that of a file that is bundled such a one. */
export function keepLines(path) {
  const map = JSON.parse(readFileSync(path, 'utf8'))
  const { sources, sourcesContent } = map
  const contents = sourcesContent?.map((text, i) => (isMade(sources[i]) ? null : text))
  writeFileSync(
    path,
    JSON.stringify({ ...map, names: [], sourcesContent: contents, mappings: mappedLines(map.mappings) }),
  )
}

/** By the build, as `given:util/check.ts`: there is no such file, and nothing in it but names. */
function isMade(source) {
  return /^[a-z-]+:/.test(source)
}

/**
 * @param mappings of a source map: for each line segments of numbers, each the difference to the segment before. Column here, source,
 *   line there, column there
 */
export function mappedLines(mappings) {
  const [before, after] = [new Sums(), new Sums()]
  const lines = mappings.split(';').map((line) => {
    before.column = after.column = 0
    const segments = line === '' ? [] : line.split(',').map((segment) => before.add(decode(segment)))
    const mapped = segments.filter((segment) => segment.source !== undefined)
    return mapped.filter(isNews).map((segment) => encode(after.subtract(segment)))
  })
  return lines.map((line) => line.join(',')).join(';')
}

/** The first of its line here, or of another line there. */
function isNews({ source, line }, i, segments) {
  return i === 0 || segments[i - 1].source !== source || segments[i - 1].line !== line
}

class Sums {
  column = 0
  source = 0
  line = 0
  sourceColumn = 0

  add([column, source, line, sourceColumn]) {
    this.column += column
    if (source === undefined) return { column: this.column }
    this.source += source
    this.line += line
    this.sourceColumn += sourceColumn
    return { ...this }
  }

  subtract(segment) {
    const names = ['column', 'source', 'line', 'sourceColumn']
    return names.map((name) => {
      const difference = segment[name] - this[name]
      this[name] = segment[name]
      return difference
    })
  }
}

/** Base 64 VLQ: the lowest bit is the sign. */
function decode(text) {
  const numbers = []
  let value = 0
  let shift = 0
  for (const letter of text) {
    const digit = VALUES.get(letter)
    value |= (digit % MORE) << shift
    shift += 5
    if (digit >= MORE) continue
    numbers.push(value & 1 ? -(value >> 1) : value >> 1)
    value = shift = 0
  }
  return numbers
}

function encode(numbers) {
  return numbers.map(encodeNumber).join('')
}

function encodeNumber(number) {
  let rest = number < 0 ? -number * 2 + 1 : number * 2
  let text = ''
  do {
    const digit = rest % MORE
    rest = (rest - digit) / MORE
    text += DIGITS[rest > 0 ? digit + MORE : digit]
  } while (rest > 0)
  return text
}
