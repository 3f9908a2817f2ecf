/**
 * `npm run check:runtimes`: runs the same program in Node.js, Bun and Deno, each time as a client of a daemon. Bun and Deno are
 * fetched into .tools.
 */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { fetchTool } from './lib/tools.mjs'
import { repositoryRoot } from './lib/workspace.mjs'

const BUN = '@oven/bun-linux-x64@1.4.5'
const DENO = '@deno/linux-x64-glibc@2.9.6'
const PATIENCE_MS = 60_000
const PROGRAM = join(repositoryRoot, 'scripts/packages/runtime-program.mjs')
const MEMSVC = join(repositoryRoot, 'packages/memory-service/bin/memsvc.js')

const RUNTIMES = {
  'Node.js': [process.execPath],
  Bun: [join(fetchTool(repositoryRoot, BUN), 'bin/bun')],
  Deno: [join(fetchTool(repositoryRoot, DENO), 'deno'), 'run', '--allow-all', '--no-lock'],
}

const folder = mkdtempSync(join(tmpdir(), 'memsvc-runtimes-'))
const registry = join(folder, 'registry.sock')
const daemon = spawn(process.execPath, [MEMSVC, 'start', '--registry', registry], {
  stdio: ['ignore', 'ignore', 'pipe'],
})
const ended = once(daemon, 'exit')
try {
  for await (const line of createInterface({ input: daemon.stderr })) if (line.includes('"msg":"ready"')) break
  daemon.stderr.resume()
  for (const [name, [command, ...args]] of Object.entries(RUNTIMES)) {
    try {
      const options = {
        timeout: PATIENCE_MS,
        killSignal: 'SIGKILL',
        env: { ...process.env, DENO_DIR: join(folder, 'deno') },
      }
      const { stdout } = await promisify(execFile)(command, [...args, PROGRAM, registry], options)
      console.log(stdout.replaceAll(/^ok - /gm, `ok - ${name}: `).trimEnd())
    } catch (error) {
      process.exitCode = 1
      console.log(`${error.stdout}not ok - ${name}: ${error.message}\n${error.stderr}`)
    }
  }
} finally {
  daemon.kill('SIGTERM')
  await ended
  rmSync(folder, { recursive: true })
}
