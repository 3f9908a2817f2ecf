/** Tries one mutant: puts it into the copy, builds, runs tests until one fails, and puts the source back. */
import { putMutant, readSource, takeBack } from './build.mjs'
import { runTest } from './trial.mjs'

/** A test may take so many times what it took unchanged, and on a busy machine more than that, in ms. */
const PATIENCE = 4
const LEAST_MS = 30_000
/** What the tests of one mutant may take in all, by what they took unchanged, in ms. */
const ALL_MS = 90_000

/** @returns `{ verdict: 'noticed' | 'survived' | 'not built', by, ran, left, ms }` */
export async function judge(scratch, mutant, tests) {
  const begin = performance.now()
  const text = readSource(scratch, mutant.file)
  const changed = text.slice(0, mutant.start) + mutant.replacement + text.slice(mutant.end)
  try {
    const error = await putMutant(scratch, mutant.file, changed)
    const found = error === null ? await runTests(scratch, tests) : { verdict: 'not built', by: error.slice(0, 200) }
    return { ...found, ms: Math.round(performance.now() - begin) }
  } finally {
    takeBack(scratch, mutant.file, text)
  }
}

async function runTests(scratch, tests) {
  const chosen = within(tests, ALL_MS)
  for (const [index, { test, ms }] of chosen.entries()) {
    const limitMs = Math.max(PATIENCE * ms, LEAST_MS)
    const { verdict } = await runTest(scratch, test, { limitMs })
    if (verdict === 'hung') return { verdict: 'noticed', by: test, hangs: true, ran: index + 1 }
    // Twice, for a test may fail by itself on a busy machine.
    if (verdict === 'failed' && (await runTest(scratch, test, { limitMs })).verdict !== 'passed') {
      return { verdict: 'noticed', by: test, ran: index + 1 }
    }
  }
  return { verdict: 'survived', ran: chosen.length, left: tests.length - chosen.length }
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
