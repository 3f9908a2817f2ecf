/** Reads and writes docs/consumers.md: what was tried, and the results. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from '../lib/workspace.mjs'
import { MAJORS } from './tools.mjs'

const PATH = join(repositoryRoot, 'docs/consumers.md')
const MARK = '<!-- the table is written by `npm run consumers` -->'
const SIGNS = { works: 'works', failed: '**fails**', none: '–', 'left out': 'not tried' }
const RESULTS = Object.fromEntries(Object.entries(SIGNS).map(([result, sign]) => [sign, result]))

/** What the table says: by `NAME MAJOR`. */
export function readTable() {
  const [, table] = readFileSync(PATH, 'utf8').split(MARK)
  const rows = table
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| way') && !line.startsWith('| ---'))
  return new Map(
    rows.flatMap((row) => {
      const [way, ...cells] = row.slice(2, -2).split(' | ')
      return cells.map((cell, i) => [`${way} ${MAJORS[i]}`, RESULTS[cell]])
    }),
  )
}

/** @param results by `NAME MAJOR` */
export function writeTable(ways, results) {
  const head = [
    `| way | ${MAJORS.map((major) => `Node.js ${major}`).join(' | ')} |`,
    `| --- |${' --- |'.repeat(MAJORS.length)}`,
  ]
  const rows = ways.map(
    (way) => `| ${way} | ${MAJORS.map((major) => SIGNS[results.get(`${way} ${major}`) ?? 'left out']).join(' | ')} |`,
  )
  const [text] = readFileSync(PATH, 'utf8').split(MARK)
  writeFileSync(PATH, `${text}${MARK}\n\n${[...head, ...rows].join('\n')}\n`)
}
