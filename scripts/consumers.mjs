/**
 * `npm run consumers`: uses the packages, as they are published, in every way that people use them, on every supported
 * Node.js. When everything was tried, it writes docs/consumers.md.
 *
 * `--node 20,26` tries only these versions, and `--way WORD` only the ways with that word in their name. With `--seconds N`
 * nothing new begins after N seconds. `--missing` tries only what has no result in the table yet, and adds it.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { makeProject } from './consumers/project.mjs'
import { readTable, writeTable } from './consumers/table.mjs'
import { fetchTools, MAJORS, nodeOf } from './consumers/tools.mjs'
import { WAYS } from './consumers/ways.mjs'
import { repositoryRoot } from './lib/workspace.mjs'

const PATIENCE_MS = 120_000
const { values } = parseArgs({
  options: {
    node: { type: 'string' },
    way: { type: 'string', default: '' },
    seconds: { type: 'string' },
    missing: { type: 'boolean', default: false },
  },
})
const majors = values.node === undefined ? MAJORS : values.node.split(',').map(Number)
const ways = Object.keys(WAYS).filter((name) => name.includes(values.way))
const end = performance.now() + 1000 * Number(values.seconds ?? Number.POSITIVE_INFINITY)

/** @returns what it printed last, if it failed */
async function run(node, args, { cwd, registry }) {
  const env = { PATH: process.env.PATH, HOME: cwd, REGISTRY: registry, NODE_NO_WARNINGS: '1', CI: '1' }
  const child = spawn(node, args, {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: PATIENCE_MS,
    killSignal: 'SIGKILL',
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk))
  const [code, signal] = await once(child, 'close')
  return code === 0 ? null : `${signal ?? code}: ${text.trim()}`
}

async function tryWay(name, major, project) {
  const commands = WAYS[name](major)
  if (commands === null) return { result: 'none' }
  if (performance.now() > end) return { result: 'left out' }
  for (const args of commands) {
    const failure = await run(nodeOf(major), args, project)
    if (failure !== null) return { result: 'failed', failure }
  }
  return { result: 'works' }
}

async function startDaemon(registry) {
  const memsvc = join(repositoryRoot, 'packages/memory-service/bin/memsvc.js')
  const daemon = spawn(process.execPath, [memsvc, 'start', '--registry', registry], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  for await (const line of createInterface({ input: daemon.stderr })) if (line.includes('"msg":"ready"')) break
  daemon.stderr.resume()
  return daemon
}

const missing = fetchTools()
if (missing !== null) {
  console.log(`consumers: not tried, the tools cannot be fetched: ${missing}`)
  process.exit(0)
}
const cwd = makeProject()
const folder = mkdtempSync(join(tmpdir(), 'memsvc-consumers-'))
const registry = join(folder, 'registry.sock')
const daemon = await startDaemon(registry)
const results = values.missing ? readTable() : new Map()
const isDue = (cell) => !values.missing || ['left out', undefined].includes(results.get(cell))
let failed = 0
let passed = 0
try {
  for (const name of ways) {
    for (const major of majors.filter((major) => isDue(`${name} ${major}`))) {
      const { result, failure } = await tryWay(name, major, { cwd, registry })
      results.set(`${name} ${major}`, result)
      if (result === 'failed') console.log(failure.split('\n').slice(0, 30).join('\n'))
      console.log(`${result} - ${name}, Node.js ${major}`)
      failed += result === 'failed' ? 1 : 0
      passed += result === 'works' ? 1 : 0
    }
  }
} finally {
  daemon.kill('SIGKILL')
  rmSync(folder, { recursive: true })
  rmSync(cwd, { recursive: true })
}
const isWhole = majors === MAJORS && ways.length === Object.keys(WAYS).length && values.seconds === undefined
if (isWhole || values.missing) writeTable(Object.keys(WAYS), results)
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
