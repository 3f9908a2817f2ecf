/** Tries one mutant: puts it into the copy, builds, runs tests until one fails, and puts the source back. */
import { buildMutant, putMutant, readSource, settle, takeBack } from './build.mjs'
import { runTest } from './trial.mjs'

/** A test may take so many times what it took unchanged, and on a busy machine more than that, in ms. */
const PATIENCE = 4
const LEAST_MS = 30_000
/** What the tests of one mutant may take in all, by what they took unchanged, in ms. */
const ALL_MS = 300_000
/** And those of the tests beside it, before anything is built. */
const BESIDE_MS = 60_000

/** @returns `{ verdict: 'noticed' | 'survived' | 'not built', by, ran, left, ms }` */
export async function judge(scratch, mutant, tests) {
  const begin = performance.now()
  const text = readSource(scratch, mutant.file)
  const changed = text.slice(0, mutant.start) + mutant.replacement + text.slice(mutant.end)
  try {
    putMutant(scratch, mutant.file, changed)
    const found = (await tryBeside(scratch, mutant, tests)) ?? (await tryAll(scratch, mutant, tests))
    return { ...found, ms: Math.round(performance.now() - begin) }
  } finally {
    takeBack(scratch, mutant.file, text)
  }
}

/** Tests beside a script need no bundle, and mostly one of them notices. @returns null: none has */
async function tryBeside(scratch, { file }, tests) {
  if (!file.endsWith('.ts')) return null
  await settle(scratch) // or a program that they start would be the mutant of before
  const beside = within(
    tests.filter(({ isBeside }) => isBeside),
    BESIDE_MS,
  )
  const found = await runTests(scratch, beside)
  return found.verdict === 'noticed' ? found : null
}

async function tryAll(scratch, { file }, tests) {
  const error = await buildMutant(scratch, file)
  return error === null
    ? runTests(scratch, within(tests, ALL_MS), tests.length)
    : { verdict: 'not built', by: error.slice(0, 200) }
}

async function runTests(scratch, chosen, count = chosen.length) {
  for (const [index, { test, ms }] of chosen.entries()) {
    const limitMs = Math.max(PATIENCE * ms, LEAST_MS)
    const { verdict } = await runTest(scratch, test, { limitMs })
    if (verdict === 'hung') return { verdict: 'noticed', by: test, hangs: true, ran: index + 1 }
    // Twice, for a test may fail by itself on a busy machine.
    if (verdict === 'failed' && (await runTest(scratch, test, { limitMs })).verdict !== 'passed') {
      return { verdict: 'noticed', by: test, ran: index + 1 }
    }
  }
  return { verdict: 'survived', ran: chosen.length, left: count - chosen.length }
}

/** The first of them that take no longer together. */
function within(tests, budgetMs) {
  let left = budgetMs
  const isOver = ({ ms }) => {
    left -= ms
    return left < 0
  }
  const end = tests.findIndex(isOver)
  return end < 0 ? tests : tests.slice(0, end)
}
