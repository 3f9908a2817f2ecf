/**
 * Records the compiled code of the commands' bundles, and stores it beside them: compiling takes longer than everything else that
 * `memclient read` does. V8 compiles functions when they are first called, so the code is recorded after a call to a real daemon.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Of the daemon's store, for the recording only. */
const KEY = 'k'
const RECORDER = fileURLToPath(new URL('record-code.cjs', import.meta.url))

/** What is run for the code of each; the others are run to read. */
const RECORDED = { 'quick-get.cjs': ['get', KEY], 'quick-status.cjs': ['status'], 'ask.cjs': ['status'] }

/** @param bundles their paths. Without the cache the commands work all the same: what goes wrong is told, no more. */
export async function writeCodeCache(repositoryRoot, bundles) {
  const folder = mkdtempSync(join(tmpdir(), 'memsvc-build-'))
  const registry = join(folder, 'registry.sock')
  const memsvc = join(repositoryRoot, 'packages/memory-service/bin/memsvc.js')
  const daemon = spawn(process.execPath, [memsvc, 'start', '--registry', registry], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = once(daemon, 'exit')
  try {
    await Promise.race([ended, untilReady(daemon)])
    const run = (...args) => spawnSync(process.execPath, [...args, '--registry', registry], { encoding: 'utf8' })
    run(join(repositoryRoot, 'packages/client-cli/bin/memclient.cjs'), 'put', KEY, '1')
    const recorded = bundles.map((bundle) => [RECORDER, bundle, ...(RECORDED[basename(bundle)] ?? ['read'])])
    for (const args of recorded) {
      const { status, stderr } = run(...args)
      if (status !== 0)
        console.warn(`build: no compiled code for ${args[1]}: ${stderr.trim() || 'the read was declined'}`)
    }
  } finally {
    daemon.kill('SIGTERM')
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
}

async function untilReady(daemon) {
  for await (const text of daemon.stderr) if (String(text).includes('"ready"')) return
}
