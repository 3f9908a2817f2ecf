/**
 * Chooses the tests that may notice a mutant, the likeliest first: tests that ran its line when the table was made, and tests of
 * the same name or folder. The lines of C++ are not known: all tests of its package are chosen.
 */
import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { listTests } from '../lib/tests.mjs'
import { readSource, settle } from './build.mjs'
import { readCoverage } from './coverage.mjs'
import { hash } from './mutants.mjs'
import { runTest } from './trial.mjs'

/** Longer than any of them takes. */
const LIMIT_MS = 180_000
/**
 * These look at the build, at names that a mutant's build changes, at the machine, at figures, or take minutes: no mutant is
 * noticed by them alone.
 */
const LEFT_OUT =
  /^packages\/bench\/|^scripts\/|^examples\/|\/test-support\/|code-cache|without-it|anything\/introduction|systemd\/(?:box|user-units)/
/** What runs programs: their bundles have no maps, so nobody knows which lines. Those that speak of the file come first. */
const PROGRAM_TESTS =
  /^packages\/(?:memory-service\/dist\/test\/(?:e2e|hostile|protocol|program\.js)|replication\/dist\/test\/command)/
/** Fewer than that are known to run a line: it is perhaps a program that does. */
const FEW = 3
/** What tests C++ beside its own package: hot paths, stores and hostile peers. */
const NATIVE_TESTS = /^packages\/(?:memfd-native|shared\/dist\/test\/(?:channel|os|store))\//

/**
 * Runs each test once in the unchanged copy. Of a test that has changed it is taken, until it notices something, that it
 * runs what it ran before.
 * @param known what was seen before
 */
export async function makeTable(scratch, known, onTest) {
  const table = { tests: {}, sources: known?.sources ?? {} }
  const files = listTests(scratch, []).filter((test) => !LEFT_OUT.test(test))
  for (const [index, test] of files.entries()) {
    const before = known?.tests[test]
    const isSeen = before?.verdict === 'passed' || before?.name === nameOf(scratch, test)
    if (isSeen) table.tests[test] = before
    else await look(table, scratch, test)
    onTest(table, test, index + 1, files.length)
  }
  return table
}

/** @returns whether a test passes without any mutant: one that has changed is looked at again, once */
export async function passes(table, scratch, test) {
  if (table.tests[test].name !== nameOf(scratch, test)) {
    await settle(scratch)
    await look(table, scratch, test)
  }
  return table.tests[test].verdict === 'passed'
}

function nameOf(scratch, test) {
  return hash(readSource(scratch, test))
}

async function look(table, scratch, test) {
  const folder = join(scratch, 'coverage')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  chmodSync(folder, 0o777) // for programs of other users
  let { verdict, ms } = await runTest(scratch, test, { limitMs: LIMIT_MS, env: { NODE_V8_COVERAGE: folder } })
  const lines = readCoverage(scratch, folder)
  // A program that may say what it ran before it is killed ends otherwise than the test is about.
  if (verdict !== 'passed') ({ verdict, ms } = await runTest(scratch, test, { limitMs: LIMIT_MS }))
  const versions = {}
  for (const source of Object.keys(lines)) {
    const text = readSource(scratch, source)
    versions[source] = hash(text)
    table.sources[versions[source]] ??= text.split('\n')
  }
  table.tests[test] = { name: nameOf(scratch, test), verdict, ms, lines, versions }
}

/**
 * @param noticed how many mutants of this file each test has noticed
 * @returns `[{ test, ms, isBeside }, ...]`: only such that pass without the mutant
 */
export function affectedTests(table, scratch, { file, line }, noticed) {
  const passing = Object.entries(table.tests).filter(([, { verdict }]) => verdict === 'passed')
  const text = readSource(scratch, file).split('\n')[line - 1]
  // One that has changed may run more than it was seen to.
  const mayRun = (test, { name }) => isMirror(test, file) || (isNear(test, file) && name !== nameOf(scratch, test))
  const known = passing.filter(([test, seen]) => mayRun(test, seen) || runs(table, test, seen, { file, line, text }))
  const isPrograms = file.startsWith('packages/memory-service/') || (file.endsWith('.ts') && known.length < FEW)
  const others = isPrograms ? passing.filter((each) => PROGRAM_TESTS.test(each[0]) && !known.includes(each)) : []
  const chosen = [...known, ...others]
  const speaking = new Set(chosen.map(([test]) => test).filter((test) => speaksOf(scratch, test, file)))
  // What it costs, by how likely it notices: a guess.
  const rank = ([test, { ms }]) => {
    const likely = isMirror(test, file) ? 100 : isNear(test, file) || speaking.has(test) ? 10 : 1
    return ms / likely / (1 + 3 * (noticed.get(test) ?? 0))
  }
  const found = chosen.sort((a, b) => rank(a) - rank(b))
  return found.map(([test, { ms }]) => ({ test, ms, isBeside: isNear(test, file) }))
}

function runs(table, test, { lines, versions }, { file, line, text }) {
  if (!file.endsWith('.ts')) return NATIVE_TESTS.test(test)
  // memclient's bundle has no map.
  if (file.startsWith('packages/client-cli/')) return test.startsWith('packages/client-cli/')
  if (lines[file] === undefined) return false
  if (versions === undefined) return lines[file].some((each) => Math.abs(each - line) <= 15)
  const then = lineThen(table.sources[versions[file]], { line, text })
  return then === null || lines[file].includes(then)
}

/** The line's number when the test was looked at: the nearest one of the same text. Null: it is new. */
function lineThen(source, { line, text }) {
  let best = null
  for (const [index, each] of source.entries()) {
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

/** By the first word of the file's name, in its name or its text. */
function speaksOf(scratch, test, file) {
  const word = new RegExp(`\\b${basename(file).split(/[-.]/)[0]}\\b`)
  return word.test(test) || word.test(readSource(scratch, test))
}

function isNear(test, file) {
  const folder = dirname(file).replace('/src', '/dist/test').replace('/native', '/dist/test')
  return dirname(test) === folder
}
