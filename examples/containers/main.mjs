/**
 * A daemon on the host, and a client in a container that is made here with namespaces(7): `node main.mjs`. The container has a root
 * of its own, read-only and without a shell, no network, and its own processes and users. It sees one folder of the host's.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const MEMSVC = join(ROOT, 'packages/memory-service/bin/memsvc.js')
const MEMCLIENT = join(ROOT, 'packages/client-cli/bin/memclient.cjs')
/** Where the container sees the host's folder, and what is in it. */
const MOUNTED = '/run/memsvc'
const SOCKET = 'registry.sock'

const folder = mkdtempSync(join(tmpdir(), 'memsvc-container-'))
const host = join(folder, 'run')
const container = join(folder, 'root')
const children = []
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

async function startDaemon() {
  const daemon = spawn(process.execPath, [MEMSVC, 'start', '--registry', join(host, SOCKET)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  children.push(daemon)
  for await (const line of createInterface({ input: daemon.stderr })) if (line.includes('"msg":"ready"')) break
  daemon.stderr.resume()
  return daemon
}

function onHost(...args) {
  return execFileSync(process.execPath, [MEMCLIENT, ...args, '--registry', join(host, SOCKET)], { encoding: 'utf8' })
}

/** Files that Node.js needs to start: itself, its libraries, and the loader of these. */
function filesOfNode() {
  const lines = execFileSync('ldd', [process.execPath], { encoding: 'utf8' }).split('\n')
  return [process.execPath, ...lines.map((line) => line.match(/(\/\S+) \(0x/)?.[1]).filter(Boolean)]
}

/**
 * What is mounted into the container, all of it read-only: to connect to a socket one need not write to its folder. The
 * folder and not the socket: the next daemon makes another socket, and a mount of the old one would lead to nobody.
 */
function mounts() {
  const files = filesOfNode().map((path) => ({ from: path, to: join(container, path) }))
  for (const { to } of files) {
    mkdirSync(dirname(to), { recursive: true })
    writeFileSync(to, '')
  }
  const folders = [
    { from: ROOT, to: join(container, ROOT) },
    { from: host, to: join(container, MOUNTED) },
  ]
  for (const { to } of folders) mkdirSync(to, { recursive: true })
  return [...files, ...folders]
}

/** The only shell there is runs outside of the container, and becomes its first process. */
function startInContainer(...args) {
  const lines = mounts().map(({ from, to }) => `mount --rbind '${from}' '${to}' && mount -o remount,bind,ro '${to}'`)
  const script = [
    'set -e',
    `mount --bind '${container}' '${container}'`,
    ...lines,
    `mount -o remount,bind,ro '${container}'`,
  ]
  const start = `exec chroot '${container}' '${process.execPath}' '${MEMCLIENT}' "$@"`
  const namespaces = [
    '--user',
    '--map-root-user',
    '--mount',
    '--pid',
    '--fork',
    '--kill-child',
    '--net',
    '--ipc',
    '--uts',
  ]
  const child = spawn('unshare', [...namespaces, 'sh', '-c', [...script, start].join('\n'), 'sh', ...args], {
    env: { PATH: process.env.PATH, MEMSVC_REGISTRY: join(MOUNTED, SOCKET) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  return { child, lines: linesOf(child.stdout), messages: linesOf(child.stderr) }
}

function linesOf(stream) {
  const lines = createInterface({ input: stream })[Symbol.asyncIterator]()
  return async () => (await lines.next()).value
}

mkdirSync(host)
mkdirSync(container)
const daemon = await startDaemon()
onHost('put', 'colour', '"red"')

const reader = startInContainer('get', 'colour')
console.log(`the container reads ${await reader.lines()}`)

const watcher = startInContainer('changes')
console.log(`it says: ${await watcher.messages()}`)
onHost('put', 'colour', '"green"')
console.log(`it sees ${await watcher.lines()}`)

daemon.kill('SIGTERM')
await once(daemon, 'exit')
await startDaemon()
onHost('put', 'colour', '"blue"')
for (let line = ''; !line.includes('blue'); ) {
  line = await watcher.lines()
  console.log(`after a restart of the daemon it sees ${line}`)
}
process.exit(0)
