/** Runs one test file in the copy, with a time limit, and leaves no process of it behind. */
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** @returns `{ verdict: 'passed' | 'failed' | 'hung', ms, output }` */
export async function runTest(scratch, test, { limitMs, env = {} }) {
  const begin = performance.now()
  const child = spawn(process.execPath, [join(scratch, test)], {
    cwd: scratch,
    detached: true, // a group of its own, to be killed as one; tap's own time limit is none on a busy machine
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: join(scratch, 't'), TAP_BAIL: '1', TAP_TIMEOUT: '600', CI: 'true', ...env },
  })
  yieldToOthers(child.pid)
  const output = collect(child)
  let isHung = false
  const timer = setTimeout(() => {
    isHung = true
    killAll(scratch, child.pid)
  }, limitMs)
  const status = await new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)))
  clearTimeout(timer)
  killAll(scratch, child.pid)
  const ms = Math.round(performance.now() - begin)
  for (const name of readdirSync(join(scratch, 't'))) rmSync(join(scratch, 't', name), { recursive: true, force: true })
  return { verdict: isHung ? 'hung' : status === 0 ? 'passed' : 'failed', ms, status, output: output() }
}

/** A new session is a group of its own for the scheduler, as important as any other: sched(7), "The autogroup feature". */
function yieldToOthers(pid) {
  try {
    writeFileSync(`/proc/${pid}/autogroup`, '19')
  } catch {
    // no such groups here, or the process is gone
  }
}

function collect(child) {
  const chunks = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString()
}

function killAll(scratch, group) {
  kill(-group)
  endPrograms(scratch)
}

/** Ends whatever runs a program of the copy, or was given a path in it: daemons have groups of their own. */
export function endPrograms(scratch) {
  for (const pid of readdirSync('/proc')) if (/^\d+$/.test(pid) && isOf(scratch, pid)) kill(Number(pid))
}

function isOf(scratch, pid) {
  if (Number(pid) === process.pid) return false
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${scratch}/`)
  } catch {
    return false // gone
  }
}

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // gone
  }
}
