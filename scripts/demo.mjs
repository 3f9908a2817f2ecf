/**
 * Shows what memsvc does, with the real programs: a daemon, and clients in processes of their own. Everything is in a private
 * temporary directory, and gone at the end. The exit code is 1 if the processes do not see the same memory.
 */
import { deepEqual, equal, match } from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { constants } from 'memfd-native'
import { repositoryRoot } from './lib/workspace.mjs'

const PROGRAMS = {
  memsvc: join(repositoryRoot, 'packages/memory-service/bin/memsvc.js'),
  memclient: join(repositoryRoot, 'packages/client-cli/bin/memclient.cjs'),
}
const PATIENCE_MS = 60_000

const folder = mkdtempSync(join(tmpdir(), 'memsvc-demo-'))
// Relative: a socket's path has at most 107 bytes, and who knows where TMPDIR is.
const environment = { ...process.env, MEMSVC_REGISTRY: 'registry.sock' }
const children = []

process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})
setTimeout(() => {
  throw new Error(`nothing happens any more after ${PATIENCE_MS / 1000} s`)
}, PATIENCE_MS).unref()
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))

function start(program, args) {
  const options = { cwd: folder, env: environment, stdio: ['ignore', 'pipe', 'pipe'] }
  const child = spawn(process.execPath, [PROGRAMS[program], ...args], options)
  children.push(child)
  return child
}

/** Runs a program to its end: what it printed, and which process it was. */
async function run(program, ...args) {
  const child = start(program, args)
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  equal(code, 0, `${program} ${args.join(' ')}: ${stderr}`)
  return { pid: child.pid, output: stdout.trimEnd() }
}

/** As run, shown as in a terminal. */
async function show(program, ...args) {
  const { pid, output } = await run(program, ...args)
  sayCommand(pid, program, ...args)
  if (output !== '') say(`   ${output}`)
  return output
}

async function startDaemon() {
  const child = start('memsvc', ['start'])
  sayCommand(child.pid, 'memsvc', 'start')
  const log = []
  for await (const line of createInterface({ input: child.stderr })) {
    if (line.includes('"msg":"ready"')) return child
    log.push(line)
  }
  throw new Error(`the daemon did not start:\n${log.join('\n')}`)
}

async function watchChanges(first, ...changes) {
  const watcher = start('memclient', ['watch'])
  sayCommand(watcher.pid, 'memclient', 'watch')
  const lines = createInterface({ input: watcher.stdout })[Symbol.asyncIterator]()
  for (const value of [first, ...changes]) {
    if (value !== first) await run('memclient', 'write', String(value))
    const line = await lines.next()
    equal(line.value, String(value), 'the watcher saw another value')
    say(`   ${line.value}`)
  }
  return watcher
}

/** Who holds the memory now; every process that was started here must be in it. */
async function showHolders(...children) {
  const { pid, output } = await run('memsvc', 'inspect')
  sayCommand(pid, 'memsvc', 'inspect')
  for (const line of output.split('\n')) say(line === '' ? '' : `   ${line}`)
  if (process.getuid() !== 0) return // the daemon lets only root look into it, and says itself what it holds
  for (const child of children) match(output, new RegExp(`process ${child.pid}\\b`), 'a process is missing')
}

/** What must be the same on both sides. */
function memoryFacts({ inode, seals, size }, value) {
  return { inode, seals: sealNames(seals), size: `${size} bytes`, value }
}

function sealNames(seals) {
  const names = Object.keys(constants).filter((name) => name.startsWith('F_SEAL_') && (seals & constants[name]) !== 0)
  return names.map((name) => name.slice('F_SEAL_'.length)).join(' ')
}

function compare(daemonView, clientView) {
  sayRow('', 'daemon', 'client')
  for (const fact of Object.keys(daemonView)) sayRow(fact, daemonView[fact], clientView[fact])
}

function sayRow(fact, daemonSide, clientSide) {
  say(`   ${fact.padEnd(12)}${String(daemonSide).padEnd(40)}${clientSide}`)
}

function sayCommand(pid, ...words) {
  say(`   ${`$ ${words.join(' ')}`.padEnd(24)}(process ${pid})`)
}

function say(line) {
  console.log(line)
}

say('1. A daemon makes 4 bytes of memory that have no name in any file system, and seals them.')
const daemon = await startDaemon()

say('\n2. A client cannot write to them. It asks the daemon to.')
await show('memclient', 'write', '42')

say('\n3. Another client gets a descriptor of the memory, maps it and reads. No message carries the value.')
equal(await show('memclient', 'read'), '42')

say('\n4. Each side looks at the descriptor that it has. Two processes, one inode: the same memory.')
const [status, info] = await Promise.all([run('memsvc', 'status', '--json'), run('memclient', 'info', '--json')])
const [{ regions, value }, client] = [JSON.parse(status.output), JSON.parse(info.output)]
const facts = [memoryFacts(regions[0], value), memoryFacts(client, client.value)]
compare(
  { process: daemon.pid, descriptor: regions[0].fd, ...facts[0] },
  { process: info.pid, descriptor: client.fd, ...facts[1] },
)
deepEqual(facts[1], facts[0], 'the two sides see different memory')

say('\n5. A watcher is told that there is a new value, and reads it from the memory.')
const watcher = await watchChanges(42, 43, 44)

say('\n6. Who holds the memory: descriptors lead to open files of the kernel, and these to the memory.')
await showHolders(daemon, watcher)

say('\nNow the daemon ends. With the last descriptor the memory is gone: there is nothing to clean up.')
watcher.kill('SIGTERM')
const ending = once(daemon, 'exit')
await run('memsvc', 'stop')
deepEqual(await ending, [0, null], 'the daemon did not end well')
