/** Maps by lines: of a line of a bundle they name the same line of ours as the map that the bundler made. */

import { SourceMap } from 'node:module'
import t from 'tap'
import { mappedLines } from './support/packages.mjs'

const SOURCES = ['a.ts', 'b.ts']
const mapOf = (mappings) => new SourceMap({ version: 3, sources: SOURCES, names: [], mappings })
const at = (map, line, column) => {
  const { originalSource, originalLine } = map.findEntry(line, column)
  return `${originalSource}:${originalLine}`
}

// a.ts line 0 at columns 0 and 4, line 1 at column 8; nothing; b.ts line 20 at column 2, then a.ts line 3
const FULL = 'AAAA,IAAI,IACJ;;ECmBA,CAAC,CDjBD'

t.test('the first word of each line of ours is kept, and no other', async (t) => {
  const lines = mappedLines(FULL).split(';')
  t.same(
    lines.map((line) => (line === '' ? 0 : line.split(',').length)),
    [2, 0, 2],
  )
})

t.test('each place has the line that it had', async (t) => {
  const [full, lines] = [mapOf(FULL), mapOf(mappedLines(FULL))]
  for (const [line, column] of [
    [0, 0],
    [0, 5],
    [0, 9],
    [2, 2],
    [2, 3],
    [2, 40],
  ]) {
    t.equal(at(lines, line, column), at(full, line, column), `${line}:${column}`)
  }
})

t.test('a file that is not a source of ours has no line', async (t) => {
  t.equal(mappedLines('A,CAAA;A'), 'CAAA;')
})
