/**
 * Runs test files with the sanitizers' library preloaded, in them and in all programs that they start. A finding fails the test
 * file, whichever of these processes made it and however that ended: each process writes its findings into a folder.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { readTapReport } from '../lib/tap-report.mjs'

/** tap's own limit, which names the test that hangs, and ours, for a file that cannot even do that. */
const TEST_SECONDS = 300
const FILE_SECONDS = TEST_SECONDS + 60

/** Signals are left to the tests, which see what a process dies of: some do on purpose. */
const OPTIONS = [
  'detect_leaks=0',
  'handle_segv=0',
  'handle_sigbus=0',
  'handle_sigfpe=0',
  'handle_sigill=0',
  'handle_abort=0',
  'allocator_may_return_null=1',
].join(':')

/** @param files relative to `folder`; as many at once as there are processors */
export async function runTests(folder, files, runtime) {
  const counts = { passed: 0, failed: 0 }
  const waiting = [...files.entries()]
  const runSome = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, file] = next
      const { passed, failed, seconds, problems } = await runFile(join(folder, file), runtime)
      counts.passed += passed
      counts.failed += failed
      const verdict = failed === 0 ? 'ok' : 'not ok'
      console.log(`${verdict} ${index + 1}/${files.length} - ${file} (${passed} passed, ${seconds.toFixed(1)} s)`)
      for (const problem of problems) console.log(problem)
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, runSome))
  return counts
}

async function runFile(file, runtime) {
  const start = performance.now()
  const findingsFolder = mkdtempSync(join(tmpdir(), 'memsvc-sanitize-'))
  chmodSync(findingsFolder, 0o1777) // some of the programs run as other users
  const { output, status, isLate } = await runAlone(file, environment(runtime, join(findingsFolder, 'finding')))
  const findings = readdirSync(findingsFolder).map((name) => readFileSync(join(findingsFolder, name), 'utf8'))
  rmSync(findingsFolder, { recursive: true })
  const report = readTapReport(output)
  const problems = [...report.failures, ...findings]
  if (isLate) problems.push(`it took more than ${FILE_SECONDS} s, and was killed`)
  const isGood = status === 0 && findings.length === 0
  const failed = isGood ? report.failed : Math.max(report.failed, 1)
  return { passed: report.passed, failed, problems, seconds: (performance.now() - start) / 1000 }
}

function environment(runtime, logPath) {
  return {
    ...process.env,
    LD_PRELOAD: runtime,
    ASAN_OPTIONS: `${OPTIONS}:log_path=${logPath}`,
    UBSAN_OPTIONS: `print_stacktrace=1:log_path=${logPath}`,
    TAP_TIMEOUT: String(TEST_SECONDS),
  }
}

/** In a process group of its own, so that what it started goes with it; without tap's runner, which loads more into that. */
async function runAlone(file, env) {
  const child = spawn(process.execPath, [file], { env, stdio: ['ignore', 'pipe', 'inherit'], detached: true })
  const chunks = []
  child.stdout.on('data', (chunk) => chunks.push(chunk))
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    killGroup(child.pid)
  }, FILE_SECONDS * 1000)
  const closed = once(child, 'close')
  const [status] = await once(child, 'exit')
  clearTimeout(timer)
  killGroup(child.pid) // what is left of it would hold the pipe
  await closed
  return { output: Buffer.concat(chunks).toString(), status, isLate }
}

function killGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if (error.code !== 'ESRCH') throw error // nobody is left
  }
}
