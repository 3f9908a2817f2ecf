/**
 * Which tests a mutant may be noticed by, the likeliest first: those that run its line, as they were seen to do when the
 * table was made, and those that stand where it stands. Of C++ no lines are known: all tests of its package.
 */
import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { listTests } from '../lib/tests.mjs'
import { readSource } from './build.mjs'
import { readCoverage } from './coverage.mjs'
import { hash } from './mutants.mjs'
import { runTest } from './trial.mjs'

/** Longer than any of them takes. */
const LIMIT_MS = 180_000
/** These look at the build, at the machine, at figures, or take minutes: no mutant is noticed by them alone. */
const LEFT_OUT = /^packages\/bench\/|^scripts\/|^examples\/|\/test-support\/|code-cache|systemd\/(?:box|user-units)/
/** What tests C++ beside its own package: hot paths, stores and hostile peers. */
const NATIVE_TESTS = /^packages\/(?:memfd-native|shared\/dist\/test\/(?:channel|os|store))\//

/** Runs each test once in the unchanged copy. @param known what was seen before; of a test that changed it is seen again */
export async function makeTable(scratch, known, onTest) {
  const table = { tests: {}, sources: {} }
  const files = listTests(scratch, []).filter((test) => !LEFT_OUT.test(test))
  for (const [index, test] of files.entries()) {
    const name = hash(readSource(scratch, test))
    const before = known?.tests[test]
    const isSeen = before?.name === name && before.verdict === 'passed'
    table.tests[test] = isSeen ? before : await look(scratch, test, name)
    for (const source of Object.keys(table.tests[test].lines)) {
      const isOld = before?.name === name && known.sources[source] !== undefined
      table.sources[source] ??= isOld ? known.sources[source] : readSource(scratch, source).split('\n')
    }
    onTest(table, test, index + 1, files.length)
  }
  return table
}

async function look(scratch, test, name) {
  const folder = join(scratch, 'coverage')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  chmodSync(folder, 0o777) // for programs of other users
  let { verdict, ms } = await runTest(scratch, test, { limitMs: LIMIT_MS, env: { NODE_V8_COVERAGE: folder } })
  const lines = readCoverage(scratch, folder)
  // A program that may say what it ran before it is killed ends otherwise than the test is about.
  if (verdict !== 'passed') ({ verdict, ms } = await runTest(scratch, test, { limitMs: LIMIT_MS }))
  return { name, verdict, ms, lines }
}

/** @returns `[{ test, ms }, ...]`: only such that pass without the mutant */
export function affectedTests(table, scratch, { file, line }) {
  const passing = Object.entries(table.tests).filter(([, { verdict }]) => verdict === 'passed')
  const then = lineThen(table, scratch, { file, line })
  const chosen = passing.filter(([test, { lines }]) => isMirror(test, file) || runs(test, lines, { file, then }))
  const rank = ([test, { ms }]) => (isMirror(test, file) ? 0 : isNear(test, file) ? 1e6 : 1e7) + ms
  return chosen.sort((a, b) => rank(a) - rank(b)).map(([test, { ms }]) => ({ test, ms }))
}

/** @param lines of each file, that the test runs; @param then the line's number when they were written down */
function runs(test, lines, { file, then }) {
  if (!file.endsWith('.ts')) return NATIVE_TESTS.test(test)
  // memclient's bundle has no map.
  if (file.startsWith('packages/client-cli/')) return test.startsWith('packages/client-cli/')
  const seen = lines[file]
  return seen !== undefined && (then === null || seen.includes(then))
}

/** The line's number when the table was made: the nearest one of the same text. Null: it is new. */
function lineThen(table, scratch, { file, line }) {
  const text = readSource(scratch, file).split('\n')[line - 1]
  let best = null
  for (const [index, each] of (table.sources[file] ?? []).entries()) {
    if (each === text && (best === null || Math.abs(index + 1 - line) < Math.abs(best - line))) best = index + 1
  }
  return best
}

/** test/channel/outbox.ts of src/channel/outbox.ts; test/hub.ts of all in native/hub. */
function isMirror(test, file) {
  const withoutEnding = (path) => path.replace(/\.\w+$/, '')
  const [, owner, room] = file.match(/^(.*)\/native\/([^/.]+)/) ?? []
  if (room !== undefined) return withoutEnding(test) === `${owner}/dist/test/${room}`
  return withoutEnding(basename(file)) === withoutEnding(basename(test)) && isNear(test, file)
}

function isNear(test, file) {
  const folder = dirname(file).replace('/src', '/dist/test').replace('/native', '/dist/test')
  return dirname(test) === folder
}
