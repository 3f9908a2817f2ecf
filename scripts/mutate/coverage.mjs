/**
 * Finds which lines of the sources a test file runs, in all processes that it starts. V8 reports this for the code that runs,
 * which is mostly bundles, and source maps lead back to the sources.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** @returns `{ [source]: [line, ...] }` of the sources of packages, from what V8 has left in a folder */
export function readCoverage(scratch, folder) {
  const lines = new Map()
  for (const name of readdirSync(folder)) {
    let report
    try {
      report = JSON.parse(readFileSync(join(folder, name), 'utf8'))
    } catch {
      continue // of a process that was killed as it wrote
    }
    for (const script of report.result) addScript(scratch, script, lines)
  }
  return Object.fromEntries([...lines].map(([source, set]) => [source, [...set].sort((a, b) => a - b)]))
}

function addScript(scratch, { url, functions }, lines) {
  if (!url.startsWith('file://')) return
  const map = mapOf(scratch, fileURLToPath(url))
  if (map === null) return
  const isRun = ranFunction(functions)
  for (const { offset, source, line } of map) {
    if (!isRun(offset)) continue
    if (!lines.has(source)) lines.set(source, new Set())
    lines.get(source).add(line)
  }
}

/** Ranges are nested; the innermost one that contains an offset says how often it ran. */
function ranFunction(functions) {
  const ranges = functions.flatMap((each) => each.ranges)
  ranges.sort((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset)
  const stack = []
  let next = 0
  /** Offsets have to ascend. */
  return (offset) => {
    while (next < ranges.length && ranges[next].startOffset <= offset) {
      while (stack.length > 0 && stack.at(-1).endOffset <= ranges[next].startOffset) stack.pop()
      stack.push(ranges[next++])
    }
    while (stack.length > 0 && stack.at(-1).endOffset <= offset) stack.pop()
    return (stack.at(-1)?.count ?? 0) > 0
  }
}

const maps = new Map()

/** By offset in the generated file: `{ offset, source, line }`, of sources under packages only. */
function mapOf(scratch, path) {
  if (!maps.has(path)) maps.set(path, readMap(scratch, path))
  return maps.get(path)
}

function readMap(scratch, path) {
  if (!path.startsWith(`${scratch}/packages/`) || !existsSync(`${path}.map`)) return null
  const starts = lineStarts(readFileSync(path, 'utf8'))
  const payload = JSON.parse(readFileSync(`${path}.map`, 'utf8'))
  const sources = payload.sources.map((source) => relative(scratch, resolve(dirname(path), source)))
  const entries = []
  for (const [line, column, source, sourceLine] of decode(payload.mappings)) {
    if (!/^packages\/[^/]+\/src\//.test(sources[source])) continue
    entries.push({ offset: starts[line] + column, source: sources[source], line: sourceLine + 1 })
  }
  return entries.length === 0 ? null : entries.sort((a, b) => a.offset - b.offset)
}

function lineStarts(text) {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const VALUES = new Map([...DIGITS].map((digit, value) => [digit, value]))

/** The mappings of a source map, VLQ: Node's own SourceMap finds entries, and does not list them. */
function* decode(mappings) {
  let [source, sourceLine] = [0, 0]
  for (const [line, group] of mappings.split(';').entries()) {
    let column = 0
    for (const segment of group === '' ? [] : group.split(',')) {
      const [byColumn, bySource, byLine] = numbers(segment)
      column += byColumn
      if (bySource === undefined) continue
      source += bySource
      sourceLine += byLine
      yield [line, column, source, sourceLine]
    }
  }
}

function numbers(segment) {
  const found = []
  let [value, shift] = [0, 0]
  for (const digit of segment) {
    const bits = VALUES.get(digit)
    value += (bits & 31) << shift
    shift += 5
    if ((bits & 32) !== 0) continue
    found.push((value & 1) === 1 ? -(value >> 1) : value >> 1)
    value = 0
    shift = 0
  }
  return found
}
