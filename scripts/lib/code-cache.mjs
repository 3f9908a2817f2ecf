/**
 * The compiled code of memclient's bundles, beside them: compiling takes longer than everything else that `memclient read`
 * does. Functions are compiled when they are first called, so the code is kept as it is after a read from a real daemon.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const RECORDER = fileURLToPath(new URL('record-code.cjs', import.meta.url))

/** @param bundles their paths. Without the cache memclient works all the same: what goes wrong is told, no more. */
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
    for (const bundle of bundles) {
      const args = [RECORDER, bundle, 'read', '--registry', registry]
      const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
      if (status !== 0)
        console.warn(`build: no compiled code for ${bundle}: ${stderr.trim() || 'the read was declined'}`)
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
