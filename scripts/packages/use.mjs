/** Uses an installation as a user would: the daemon, the tool, and a program that loads the library both ways. */
import { equal, match, rejects } from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

const PATIENCE_MS = 120_000
/** Nobody listens there. */
const NO_ETCD = 'http://127.0.0.1:9'
const execute = promisify(execFile)

/** What a program does with the library. Prints 42, then the value of the store. */
const PROGRAM = `
const { MemoryFile, ServiceManager, SharedStore, SharedValue } = LOADED
const file = new MemoryFile('mine', 4)
file.writeBytes(Buffer.from('good'), 0, 0, 4)
const manager = await ServiceManager.connect({ path: process.argv[2] })
const value = await SharedValue.open(manager)
const store = await SharedStore.open(undefined, { manager })
await store.set('key', { is: 'set' })
console.log(value.get(), store.get('key').is)
process.exit(0)
`
const LOADS = {
  import: "await import('@memsvc/shared')",
  require: "(await import('node:module')).createRequire(import.meta.url)('@memsvc/shared')",
}

/**
 * @param installation `{ memsvc, memclient, node, loads, cwd, env }`: how each is run, as a list of words; without `node` no program is.
 *   `loads`: by which of LOADS, if not by all
 * @param daemon how the daemon is run, if by another installation
 */
export async function useInstallation(installation, daemon = installation) {
  const folder = mkdtempSync(join(tmpdir(), 'memsvc-use-'))
  const registry = join(folder, 'registry.sock')
  const server = await startDaemon(daemon, registry)
  try {
    const memclient = (...words) => runIn(installation, installation.memclient, [...words, '--registry', registry])
    equal(await memclient('write', '42'), '')
    equal(await memclient('read'), '42\n')
    await memclient('put', 'other', '[1]')
    equal(await memclient('get', 'other'), '[1]\n')
    for (const load of installation.node === undefined ? [] : (installation.loads ?? Object.keys(LOADS))) {
      const program = join(installation.cwd, 'program.mjs')
      writeFileSync(program, PROGRAM.replace('LOADED', LOADS[load]))
      equal(await runIn(installation, installation.node, [program, registry]), '42 set\n')
    }
    const ended = once(server, 'exit')
    await runIn(daemon, daemon.memsvc, ['stop', '--registry', registry])
    await ended
  } finally {
    server.kill('SIGKILL')
    rmSync(folder, { recursive: true })
  }
}

/**
 * `memsvc replicate`, whose package is installed beside the daemon or not: without it the command says how to install it; with it a
 * store is published, though no etcd answers.
 */
export async function useReplication(installation) {
  const folder = mkdtempSync(join(tmpdir(), 'memsvc-use-'))
  const registry = join(folder, 'registry.sock')
  const args = ['replicate', '--endpoint', NO_ETCD, '--ready-within', '1', '--registry', registry]
  const memsvc = (...words) => runIn(installation, installation.memsvc, [...words, '--registry', registry])
  const servers = [await startDaemon(installation, registry)]
  try {
    await rejects(runIn(installation, installation.memsvc, args), /npm install @memsvc\/replication, beside memsvc/)
    await installation.add('@memsvc/replication')
    servers.push(await startServer(installation, args))
    match(await memsvc('list'), /^ClusterStore/m)
    const ended = servers.map((server) => once(server, 'exit'))
    for (const name of [['ClusterStore'], []]) await memsvc('stop', ...name)
    await Promise.all(ended)
  } finally {
    for (const server of servers) server.kill('SIGKILL')
    rmSync(folder, { recursive: true })
  }
}

/** `memclient ui`, likewise: without its package it says how to install it, with it there is a page. */
export async function useWindow(installation) {
  const folder = mkdtempSync(join(tmpdir(), 'memsvc-use-'))
  const args = ['ui', '--no-start', '--registry', join(folder, 'registry.sock')]
  const { cwd, env, add } = installation
  const [program, ...words] = installation.memclient
  let window
  try {
    await rejects(runIn(installation, installation.memclient, args), /npm install @memsvc\/ui, beside memclient/)
    await add('@memsvc/ui')
    // A group of its own: Yarn does not pass on what ends it.
    window = spawn(program, [...words, ...args], { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'inherit'] })
    const { value: url } = await createInterface({ input: window.stdout })[Symbol.asyncIterator]().next()
    match(await (await fetch(url)).text(), /<script type="module"/)
    const ended = once(window, 'exit')
    process.kill(-window.pid)
    await ended
  } finally {
    if (window?.exitCode === null && window.signalCode === null) process.kill(-window.pid, 'SIGKILL')
    rmSync(folder, { recursive: true })
  }
}

/** @returns what it printed */
export async function runIn({ cwd, env }, [program, ...words], args) {
  const { stdout } = await execute(program, [...words, ...args], { cwd, env, timeout: PATIENCE_MS })
  return stdout
}

function startDaemon(installation, registry) {
  return startServer(installation, ['start', '--registry', registry])
}

/** @param args of memsvc. @returns the process, which is ready */
async function startServer({ cwd, env, memsvc: [program, ...words] }, args) {
  const server = spawn(program, [...words, ...args], { cwd, env, stdio: ['ignore', 'ignore', 'pipe'] })
  const log = []
  for await (const line of createInterface({ input: server.stderr })) {
    log.push(line)
    if (line.includes('"msg":"ready"')) break
  }
  if (!log.at(-1)?.includes('"msg":"ready"')) throw new Error(`${args.join(' ')}: it is not ready:\n${log.join('\n')}`)
  server.stderr.resume()
  return server
}
