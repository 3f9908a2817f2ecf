/** The examples and the commands as processes, at the registry of a test; they are gone with the test. */
import { spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import {
  newRegistryPath,
  Program,
  startCommand,
  startProgram,
} from '../../../packages/shared/dist/test-support/harness.js'

export * as nodeFs from 'node:fs'
export * as nodePath from 'node:path'

const pathOf = (name) => fileURLToPath(new URL(`../../../${name}`, import.meta.url))

export const MEMSVC = pathOf('packages/memory-service/bin/memsvc.js')
const MEMCLIENT = pathOf('packages/client-cli/bin/memclient.cjs')

/** A registry with nothing in it. */
export async function startRegistry(t) {
  const registry = newRegistryPath(t)
  const host = atTeardown(t, startProgram(MEMSVC, ['registry', '--registry', registry]))
  await host.stderr.find((line) => line.includes('"ready"'))
  return registry
}

/** Starts `examples/NAME`: with Node, or with Python if it is a Python program. @param options `env`, beside the registry, and `stdin`, as `startProgram` */
export function startExample(t, name, args, registry, options = {}) {
  const path = pathOf(`examples/${name}`)
  const env = { MEMSVC_REGISTRY: registry, ...options.env }
  const program = path.endsWith('.py') ? startPython(path, args, env) : startProgram(path, args, { ...options, env })
  return atTeardown(t, program)
}

/** Runs `examples/NAME` to its end. */
export function runExample(t, name, args, registry, options = {}) {
  return startExample(t, name, args, registry, options).ending
}

/** Runs a command, found by PATH, to its end. */
export function runTool(t, command, { cwd, env }) {
  const prefix = ['sh', '-c', 'cd "$0" && exec "$@"', cwd]
  return atTeardown(t, startCommand(command, { env, prefix })).ending
}

/** For a test's `skip`: which of these commands is not installed. */
export function missing(...commands) {
  const absent = commands.filter((command) => spawnSync('sh', ['-c', 'command -v "$0"', command]).status !== 0)
  return absent.length === 0 ? false : `needs ${absent.join(', ')}`
}

/** Likewise, of modules of Debian's Python. */
export function missingPython(...modules) {
  const { status } = spawnSync('/usr/bin/python3', ['-c', `import ${modules.join(', ')}`])
  return status === 0 ? false : `needs ${modules.join(', ')} of Python`
}

/** Runs `memclient` to its end. */
export function memclient(t, args, registry) {
  return atTeardown(t, startProgram(MEMCLIENT, args, { env: { MEMSVC_REGISTRY: registry } })).ending
}

/** With warnings on: what is left for the garbage collector to close is one. */
function startPython(path, args, more) {
  const env = { PATH: process.env.PATH, PYTHONDONTWRITEBYTECODE: '1', ...more }
  return new Program(
    spawn('python3', ['-X', 'dev', path, ...args], { stdio: ['ignore', 'pipe', 'pipe'], cwd: '/', env }),
  )
}

function atTeardown(t, program) {
  t.teardown(() => program.destroy())
  return program
}
