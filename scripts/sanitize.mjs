/**
 * `npm run sanitize`: builds the addon with AddressSanitizer and UBSan, beside the ordinary one, and runs the tests of
 * memfd-native and shared with it. `npm run sanitize -- packages/memfd-native` runs only the tests there. The last line is the
 * count.
 *
 * Leaks are not searched for: the sanitizer cannot see into V8's heap, so everything that JavaScript holds looks lost to it.
 * The tests count descriptors and mappings themselves. Node.js itself is not instrumented: only what it does to the addon's
 * memory is seen.
 */
import { join, relative, resolve } from 'node:path'
import { localBin, run } from './lib/run.mjs'
import { listTests } from './lib/tests.mjs'
import { repositoryRoot } from './lib/workspace.mjs'
import { buildAddon, copyPackages, findRuntime } from './sanitize/instrumented.mjs'
import { isLeftOut, LEFT_OUT } from './sanitize/left-out.mjs'
import { runTests } from './sanitize/run-tests.mjs'

const TESTED = ['packages/memfd-native', 'packages/shared']

/** The lowest layer first. */
function choose(filters) {
  const all = listTests(repositoryRoot, filters.length > 0 ? filters : TESTED)
  return all.filter((file) => TESTED.some((folder) => file.startsWith(`${folder}/`)) && !isLeftOut(file))
}

function build(folder) {
  const isGood = run(localBin('tsc'), ['-b', 'tsconfig.test.json'])
  copyPackages(folder)
  const isReady = isGood && buildAddon(folder)
  console.log(`${isReady ? 'ok' : 'not ok'} - build with sanitizers`)
  return isReady
}

async function sanitize(filters) {
  const runtime = findRuntime()
  if (runtime === null) {
    console.log('SKIPPED: sanitize (g++ has no libasan here; on Debian 12 it is the package libasan8)')
    return { passed: 0, failed: 0 }
  }
  const folder = join(repositoryRoot, '.sanitize')
  if (!build(folder)) return { passed: 0, failed: 1 }
  for (const [path, reason] of Object.entries(LEFT_OUT)) console.log(`LEFT OUT: ${path} (${reason})`)
  const { passed, failed } = await runTests(folder, choose(filters), runtime)
  return { passed: passed + 1, failed }
}

const { passed, failed } = await sanitize(process.argv.slice(2).map((path) => relative(repositoryRoot, resolve(path))))
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
