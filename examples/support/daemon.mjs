/** So that an example is one command: it takes the daemon that runs, or starts one for as long as it runs itself. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { errorCode, SharedStore } from '@memsvc/shared'

const MEMSVC = fileURLToPath(new URL('../../packages/memory-service/bin/memsvc.js', import.meta.url))

/** Child processes find it by the environment. @returns ends the daemon, if it was started here */
export async function ensureDaemon() {
  try {
    const store = await SharedStore.open()
    store.close()
    return () => undefined
  } catch (error) {
    if (!['ERR_REGISTRY_UNAVAILABLE', 'ERR_SERVICE_NOT_FOUND'].includes(errorCode(error))) throw error
    return startDaemon()
  }
}

async function startDaemon() {
  const folder = mkdtempSync(join(tmpdir(), 'memsvc-example-'))
  process.env.MEMSVC_REGISTRY = join(folder, 'registry.sock')
  const daemon = spawn(process.execPath, [MEMSVC, 'start'], { stdio: ['ignore', 'ignore', 'pipe'] })
  const end = () => {
    daemon.kill()
    rmSync(folder, { recursive: true, force: true })
  }
  process.once('exit', end)
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit())
  for await (const line of createInterface(daemon.stderr)) if (line.includes('"ready"')) break
  daemon.unref()
  daemon.stderr.destroy()
  return end
}
