/**
 * `npm test`: compiles the tests, runs the checks, and then all tests with tap. `npm test -- packages/shared/test/os` runs only
 * the test files in these paths, and no checks. The last line counts tests and checks together.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { CHECKS, runCheckStep } from './lib/check-steps.mjs'
import { isOnPath, localBin, run } from './lib/run.mjs'
import { removeStaleOutput } from './lib/stale.mjs'
import { readTapReport } from './lib/tap-report.mjs'
import { listTests } from './lib/tests.mjs'
import { fetchTool } from './lib/tools.mjs'
import { repositoryRoot } from './lib/workspace.mjs'

const REPORT = join(repositoryRoot, '.tap/report.tap')

function compileTests() {
  removeStaleOutput(repositoryRoot)
  const isGood = run(localBin('tsc'), ['-b', 'tsconfig.test.json'])
  console.log(`${isGood ? 'ok' : 'not ok'} - compile tests`)
  return isGood
}

/**
 * tap's own count, and every test that was skipped said aloud: most need root. Failures are shown from the report where
 * there is no terminal: tap's reporters draw on one, and stay silent under CI.
 */
function runTap(files) {
  const reporter = process.stdout.isTTY ? 'base' : 'silent'
  rmSync(REPORT, { force: true })
  const isGood = run(localBin('tap'), [`--reporter=${reporter}`, `--output-file=${REPORT}`, ...files])
  const { passed, failed, failures, skipped } = readTapReport(existsSync(REPORT) ? readFileSync(REPORT, 'utf8') : '')
  if (!process.stdout.isTTY) for (const failure of failures) console.log(failure)
  for (const title of skipped) console.log(`SKIPPED: ${title}`)
  if (skipped.length > 0)
    console.log(`${skipped.length} SKIPPED${process.getuid() === 0 ? '' : ' (not running as root)'}`)
  return { passed, failed: isGood ? failed : Math.max(failed, 1) }
}

/** What the tests of the window drive a browser with, if there is one. Without it they are skipped. */
function fetchDriver(files) {
  if (!files.some((file) => file.startsWith('packages/ui/')) || !isOnPath('chromium')) return
  try {
    fetchTool(repositoryRoot, 'puppeteer-core@24.43.1')
  } catch (error) {
    console.log(`puppeteer-core cannot be fetched: ${error.message}`)
  }
}

function runTests(filters) {
  const files = listTests(repositoryRoot, filters)
  fetchDriver(files)
  if (files.length > 0) return runTap(files)
  console.error(`no test files under ${filters.join(', ')}`)
  return { passed: 0, failed: 1 }
}

const filters = process.argv.slice(2).map((path) => relative(repositoryRoot, resolve(path)))
const steps = [compileTests(), ...(filters.length > 0 ? [] : Object.keys(CHECKS).map(runCheckStep))]
const tests = steps[0] ? runTests(filters) : { passed: 0, failed: 0 }
const passed = steps.filter((isGood) => isGood).length + tests.passed
const failed = steps.filter((isGood) => !isGood).length + tests.failed
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
