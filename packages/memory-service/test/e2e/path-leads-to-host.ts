/**
 * The registry's path goes on leading to the host: whatever is removed, moved or replaced while it lives, it listens there
 * again, or ends where another has the path; nobody is left with two hosts under one path.
 */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { DEFAULT_SERVICE_NAME } from '@memsvc/shared'
import { leakChecked, newRegistryPath, type Program, watchdog } from '@memsvc/shared/test-support'
import { bind, constants, listen, lockFile, OwnedFd, socket } from 'memfd-native'
import t, { type Test } from 'tap'
import { memsvc, readStatus, startMemclient, startMemsvc } from '../../test-support/memsvc.ts'
import { connect, namesBecome, openValue, openValueSoon, statusOf } from '../../test-support/value.ts'

/** Between two looks at what tells nobody. */
const LOOK_MS = 20

watchdog(t)
leakChecked(t)

interface Place {
  readonly registry: string
  readonly folder: string
  readonly lock: string
}

/** A registry in a folder of its own, two below the one that goes with the test. */
function newPlace(t: Test): Place {
  const folder = join(dirname(newRegistryPath(t)), 'run', 'memsvc')
  return placeIn(folder)
}

function placeIn(folder: string): Place {
  const registry = join(folder, 'registry.sock')
  return { registry, folder, lock: `${registry}.lock` }
}

async function says(program: Program, text: string): Promise<void> {
  if ((await program.stderr.find((line) => line.includes(text))) === null) {
    throw new Error(`it ended without saying ${text}:\n${program.stderr.text}`)
  }
}

/** Whoever asks anew gets this daemon's value. */
async function isServedBy(t: Test, registry: string, pid: number): Promise<void> {
  const value = await openValueSoon(t, registry)
  t.equal((await statusOf(value)).pid, pid)
}

const LOSSES: [title: string, lose: (place: Place) => void][] = [
  ['the socket is removed', ({ registry }) => unlinkSync(registry)],
  ['the socket and the lock are removed', (place) => [place.registry, place.lock].map((path) => unlinkSync(path))],
  ['the folder is removed', ({ folder }) => rmSync(folder, { recursive: true })],
  ['the folder and the one above are removed', ({ folder }) => rmSync(dirname(folder), { recursive: true })],
  ['the folder is renamed', ({ folder }) => renameSync(folder, `${folder}.${Date.now()}`)],
  [
    'the folder is replaced',
    ({ folder }) => {
      renameSync(folder, `${folder}.${Date.now()}`)
      mkdirSync(folder, { mode: 0o700 })
    },
  ],
  ['the socket is renamed', ({ registry }) => renameSync(registry, `${registry}.${Date.now()}`)],
  [
    'the socket is replaced by one that nobody listens on',
    ({ registry }) => {
      unlinkSync(registry)
      using stale = socket(constants.SOCK_SEQPACKET)
      bind(stale, registry)
    },
  ],
]

for (const [title, lose] of LOSSES) {
  t.test(`${title}: new clients are served there again, old ones all the while; and a second time`, async (t) => {
    const place = newPlace(t)
    const { program } = await startMemsvc(t, { registry: place.registry, args: ['--socket-mode', '660'] })
    const old = await openValue(t, place.registry)
    for (const round of [1, 2]) {
      lose(place)
      await isServedBy(t, place.registry, program.pid)
      await old.set(round)
      t.equal(old.get(), round)
      t.equal(lstatSync(place.registry).mode & 0o7777, 0o660)
      t.equal(lstatSync(place.lock).mode & 0o7777, 0o600)
      t.match(await memsvc(place.registry, ['registry']), { code: 1, stderr: /another process hosts the registry/ })
    }
    program.kill('SIGTERM')
    t.match(await program.ending, { code: 0 })
    t.notOk(existsSync(place.registry), 'its new socket is its own to remove')
  })
}

t.test('the lock file alone is removed: the lock is taken anew, and nobody else can have it', async (t) => {
  const place = newPlace(t)
  const { program } = await startMemsvc(t, { registry: place.registry })
  for (const _ of [1, 2]) {
    unlinkSync(place.lock)
    while (!existsSync(place.lock)) await delay(LOOK_MS)
    await isServedBy(t, place.registry, program.pid)
    using other = OwnedFd.adopt(openSync(place.lock, 'r+'))
    t.notOk(lockFile(other))
  }
})

t.test('a symlink that leads to the moved socket is as good as the socket', async (t) => {
  const place = newPlace(t)
  const { program } = await startMemsvc(t, { registry: place.registry })
  renameSync(place.registry, `${place.registry}.moved`)
  symlinkSync(`${place.registry}.moved`, place.registry)
  await isServedBy(t, place.registry, program.pid)
  program.kill('SIGTERM')
  t.match(await program.ending, { code: 0 })
  t.ok(lstatSync(place.registry).isSymbolicLink(), 'which is not the host’s to remove')
})

t.test('a survivor that took over keeps the path, too, and so does the next', async (t) => {
  const place = newPlace(t)
  const { program: first } = await startMemsvc(t, { registry: place.registry, args: ['--name', 'first'] })
  const { program: second } = await startMemsvc(t, { registry: place.registry, args: ['--name', 'second'] })
  const { program: third } = await startMemsvc(t, { registry: place.registry, args: ['--name', 'third'] })
  const hosts = [second, third].map((program) => says(program, 'hosting the registry').then(() => program))
  await first.destroy()
  const host = await Promise.race(hosts)
  const other = host === second ? third : second
  await namesBecome(place.registry, ['second', 'third'])
  rmSync(place.folder, { recursive: true })
  await says(host, 'listening there again')
  await host.destroy()
  await hosts[[second, third].indexOf(other)]
  rmSync(place.folder, { recursive: true })
  await says(other, 'listening there again')
  await namesBecome(place.registry, [other === third ? 'third' : 'second'])
})

t.test('who waits for a service, or watches, is served after an outage', async (t) => {
  const place = newPlace(t)
  const { program } = await startMemsvc(t, { registry: place.registry })
  const watcher = startMemclient(t, place.registry, ['watch'])
  await watcher.stdout.next()
  const manager = await connect(t, place.registry)
  rmSync(place.folder, { recursive: true })
  const waiting = manager.waitForService('late')
  await says(program, 'listening there again')
  await startMemsvc(t, { registry: place.registry, args: ['--name', 'late'] })
  const service = await waiting
  t.ok(await service.pingBinder())
  if ('close' in service && typeof service.close === 'function') service.close()
  const value = await openValue(t, place.registry)
  await value.set(7)
  t.ok(await watcher.stdout.find((line) => line === '7'))
})

t.test('another daemon has the path by now: the first one ends, and says which process it is', async (t) => {
  const place = newPlace(t)
  const { program: first } = await startMemsvc(t, { registry: place.registry })
  const { program: guest } = await startMemsvc(t, { registry: place.registry, args: ['--name', 'guest'] })
  first.kill('SIGSTOP')
  rmSync(place.folder, { recursive: true })
  const { program: second } = await startMemsvc(t, { registry: place.registry })
  first.kill('SIGCONT')
  const { code, stderr } = await first.ending
  t.equal(code, 1)
  t.match(stderr.split('\n').at(-1), `memsvc: process ${second.pid} `)
  t.match(stderr.split('\n').at(-1), place.lock)
  await isServedBy(t, place.registry, second.pid)
  await namesBecome(place.registry, [DEFAULT_SERVICE_NAME, 'guest'])
  t.match(await readStatus(place.registry, 'guest'), { pid: guest.pid, host: false })
})

t.test('a stranger keeps the lock of a new file: the host ends, and names him', async (t) => {
  const place = newPlace(t)
  const { program } = await startMemsvc(t, { registry: place.registry })
  unlinkSync(place.lock)
  using stolen = OwnedFd.adopt(openSync(place.lock, 'w', 0o600))
  t.ok(lockFile(stolen))
  const { code, stderr } = await program.ending
  t.equal(code, 1)
  t.match(stderr.split('\n').at(-1), `memsvc: process ${process.pid} `)
})

t.test('somebody else listens at the path without the lock: the host ends, and leaves his socket alone', async (t) => {
  const place = newPlace(t)
  const { program } = await startMemsvc(t, { registry: place.registry })
  unlinkSync(place.registry)
  using strangers = socket(constants.SOCK_SEQPACKET)
  bind(strangers, place.registry)
  listen(strangers)
  const { ino } = lstatSync(place.registry)
  const { code, stderr } = await program.ending
  t.equal(code, 1)
  t.equal(stderr.split('\n').at(-1), `memsvc: another process serves ${place.registry} by now`)
  t.equal(lstatSync(place.registry).ino, ino)
})

const IN_THE_WAY: [title: string, put: (path: string) => unknown, reason: RegExp][] = [
  ['a file', (path) => writeFileSync(path, 'precious'), /is no socket/],
  ['a folder', (path) => mkdirSync(path), /is no socket/],
  ['a symlink to nothing', (path) => symlinkSync('/nowhere/at/all', path), /is no socket/],
  ['a symlink to itself', (path) => symlinkSync(path, path), /ELOOP/],
]

for (const [title, put, reason] of IN_THE_WAY) {
  t.test(`${title} in the socket’s place is left alone and said once; without it the host listens again`, async (t) => {
    const place = newPlace(t)
    const { program } = await startMemsvc(t, { registry: place.registry })
    for (const _ of [1, 2]) {
      unlinkSync(place.registry)
      put(place.registry)
      const line = await program.stderr.find((text) => text.includes('nobody new can reach the registry'))
      t.match(JSON.parse(line ?? '{}'), { level: 50, registry: place.registry, reason })
      rmSync(place.registry, { recursive: true })
      await isServedBy(t, place.registry, program.pid)
    }
    t.equal(program.stderr.text.split('nobody new can reach').length - 1, 2)
  })
}

t.test(
  'a folder that others may write to is not used: it is said, and when it is closed the host is back',
  async (t) => {
    const place = newPlace(t)
    const { program } = await startMemsvc(t, { registry: place.registry })
    rmSync(place.folder, { recursive: true })
    const umask = process.umask(0)
    mkdirSync(place.folder, { mode: 0o777 })
    process.umask(umask)
    const line = await program.stderr.find((text) => text.includes('nobody new can reach the registry'))
    if (line === null) throw new Error(program.stderr.text)
    rmSync(place.folder, { recursive: true })
    await isServedBy(t, place.registry, program.pid)
  },
)

t.test('a host that ends removes no socket that has come in place of its own', async (t) => {
  const place = newPlace(t)
  const { program } = await startMemsvc(t, { registry: place.registry })
  program.kill('SIGSTOP')
  unlinkSync(place.registry)
  using strangers = socket(constants.SOCK_SEQPACKET)
  bind(strangers, place.registry)
  listen(strangers)
  program.kill('SIGTERM')
  program.kill('SIGCONT')
  await program.ending
  t.ok(lstatSync(place.registry).isSocket())
})

t.test('a starter that meets a lock whose holder does not listen names him', async (t) => {
  const registry = newRegistryPath(t)
  using lock = OwnedFd.adopt(openSync(`${registry}.lock`, 'w', 0o600))
  t.ok(lockFile(lock))
  for (const command of ['start', 'registry']) {
    const { code, stderr } = await memsvc(registry, [command])
    t.equal(code, 1)
    const line = stderr.split('\n').at(-1)
    t.match(line, `memsvc: process ${process.pid} `)
    t.match(line, `holds the lock ${registry}.lock, and nobody listens at ${registry}`)
    t.notMatch(line, "'memsvc start'")
  }
})
