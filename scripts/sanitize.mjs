/**
 * `npm run sanitize`: the addon under AddressSanitizer and UBSan, built beside the ordinary one, and the test suites of
 * memfd-native and shared with it. `npm run sanitize -- packages/memfd-native` runs only what lies there. The last line is
 * the count.
 *
 * Leaks are not looked for: that sanitizer cannot see into V8's heap, so all that JavaScript holds looks lost. The tests count
 * descriptors and mappings themselves. Node itself is not instrumented: of its code only what it does to memory of the addon
 * is seen.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { headerFolder } from './lib/headers.mjs'
import { localBin, run } from './lib/run.mjs'
import { readTapReport } from './lib/tap-report.mjs'
import { listTests } from './lib/tests.mjs'
import { repositoryRoot } from './lib/workspace.mjs'

const FOLDER = join(repositoryRoot, '.sanitize')
const TIMEOUT_MS = 300_000
const PACKAGES = { 'packages/memfd-native': 'memfd-native', 'packages/shared': '@memsvc/shared' }

/** Test files that cannot run here, and why. */
const LEFT_OUT = {
  'packages/memfd-native/test/area-processes.ts':
    'kills hundreds of processes, which takes minutes here; area.ts runs the same code',
  'packages/memfd-native/test/readme.ts': 'compiles the README, which takes no part in what is tested here',
  'packages/shared/test/service-manager': 'starts memsvc, whose program loads the ordinary addon',
}

const FLAGS = [
  '-fsanitize=address,undefined',
  '-fno-sanitize=vptr', // Node has no RTTI of its classes
  '-fno-sanitize-recover=all',
  '-fno-omit-frame-pointer',
  '-g',
].join(' ')

/** What the process dies of is for its tests to see: some die of a signal on purpose. */
const ENVIRONMENT = {
  ASAN_OPTIONS:
    'detect_leaks=0:handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_abort=0:allocator_may_return_null=1',
  UBSAN_OPTIONS: 'print_stacktrace=1',
}

/** The packages once more: what is built of them is their tests' and their own, but for the addon. */
function copyPackages() {
  rmSync(FOLDER, { recursive: true, force: true })
  for (const [folder, name] of Object.entries(PACKAGES)) {
    const copy = join(FOLDER, folder)
    const isWanted = (path) => basename(path) !== 'build' && basename(path) !== 'prebuilds'
    cpSync(join(repositoryRoot, folder), copy, { recursive: true, filter: isWanted })
    const link = join(FOLDER, 'node_modules', name)
    mkdirSync(join(link, '..'), { recursive: true })
    symlinkSync(copy, link)
  }
}

function buildAddon() {
  const headers = headerFolder()
  const args = ['rebuild', ...(headers === null ? [] : [`--nodedir=${headers}`]), '--', '-Dmemfd_native_tests=1']
  const { status, stdout, stderr } = spawnSync(localBin('node-gyp'), args, {
    cwd: join(FOLDER, 'packages/memfd-native'),
    env: { ...process.env, CXXFLAGS: FLAGS, LDFLAGS: FLAGS },
    encoding: 'utf8',
  })
  if (status !== 0) console.error(stdout + stderr)
  return status === 0
}

/** The sanitizer must be there before everything else. */
function runtime(name) {
  return spawnSync('g++', [`-print-file-name=${name}`], { encoding: 'utf8' }).stdout.trim()
}

function choose(filters) {
  const all = listTests(repositoryRoot, filters).filter((file) =>
    Object.keys(PACKAGES).some((folder) => file.startsWith(`${folder}/`)),
  )
  const source = (file) => file.replace('/dist/', '/').replace(/\.js$/, '.ts')
  const isLeftOut = (file) =>
    Object.keys(LEFT_OUT).some((path) => source(file) === path || source(file).startsWith(`${path}/`))
  return all.filter((file) => !isLeftOut(file)).map((file) => join(FOLDER, file))
}

/** One file, in a process of its own: tap's runner would preload what it needs into each program that a test starts. */
async function runTest(file, env) {
  const child = spawn(process.execPath, [file], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
  })
  const [output, [status]] = await Promise.all([text(child.stdout), once(child, 'close')])
  const { passed, failed, failures } = readTapReport(output)
  console.log(`${status === 0 ? 'ok' : 'not ok'} - ${relative(FOLDER, file)}`)
  for (const failure of failures) console.log(failure)
  return { passed, failed: status === 0 ? failed : Math.max(failed, 1) }
}

async function runTests(files) {
  const env = { ...process.env, ...ENVIRONMENT, LD_PRELOAD: runtime('libasan.so') }
  const counts = { passed: 0, failed: 0 }
  const waiting = [...files]
  const runSome = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const { passed, failed } = await runTest(file, env)
      counts.passed += passed
      counts.failed += failed
    }
  }
  await Promise.all(Array.from({ length: 2 }, runSome))
  return counts
}

const filters = process.argv.slice(2).map((path) => relative(repositoryRoot, resolve(path)))
const isBuilt = run(localBin('tsc'), ['-b', 'tsconfig.test.json'])
copyPackages()
const isReady = isBuilt && buildAddon()
console.log(`${isReady ? 'ok' : 'not ok'} - build with sanitizers`)
for (const [path, reason] of Object.entries(LEFT_OUT)) console.log(`LEFT OUT: ${path} (${reason})`)
const { passed, failed } = isReady
  ? await runTests(choose(filters.length > 0 ? filters : Object.keys(PACKAGES)))
  : { passed: 0, failed: 1 }
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
