/**
 * The registry's path goes on leading to the host: whatever is removed, moved or replaced while it lives, it listens there
 * again, or ends where another has the path; nobody is left with two hosts under one path.
 */

import { leakChecked, newRegistryPath, type Program, watchdog } from '@memsvc/shared/test-support'
import { bind, constants, listen, lockFile, OwnedFd, socket } from 'memfd-native'
import t, { type Test } from 'tap'
import * as support from '../../test-support/index.ts'

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
  const folder = support.nodePath.join(support.nodePath.dirname(newRegistryPath(t)), 'run', 'memsvc')
  return placeIn(folder)
}

function placeIn(folder: string): Place {
  const registry = support.nodePath.join(folder, 'registry.sock')
  return { registry, folder, lock: `${registry}.lock` }
}

async function says(program: Program, text: string): Promise<void> {
  if ((await program.stderr.find((line) => line.includes(text))) === null) {
    throw new Error(`it ended without saying ${text}:\n${program.stderr.text}`)
  }
}

/** Whoever asks anew gets this daemon's value. */
async function isServedBy(t: Test, registry: string, pid: number): Promise<void> {
  const value = await support.openValueSoon(t, registry)
  t.equal((await support.statusOf(value)).pid, pid)
}

const LOSSES: [title: string, lose: (place: Place) => void][] = [
  ['the socket is removed', ({ registry }) => support.nodeFs.unlinkSync(registry)],
  [
    'the socket and the lock are removed',
    (place) => [place.registry, place.lock].map((path) => support.nodeFs.unlinkSync(path)),
  ],
  ['the folder is removed', ({ folder }) => support.nodeFs.rmSync(folder, { recursive: true })],
  [
    'the folder and the one above are removed',
    ({ folder }) => support.nodeFs.rmSync(support.nodePath.dirname(folder), { recursive: true }),
  ],
  ['the folder is renamed', ({ folder }) => support.nodeFs.renameSync(folder, `${folder}.${Date.now()}`)],
  [
    'the folder is replaced',
    ({ folder }) => {
      support.nodeFs.renameSync(folder, `${folder}.${Date.now()}`)
      support.nodeFs.mkdirSync(folder, { mode: 0o700 })
    },
  ],
  ['the socket is renamed', ({ registry }) => support.nodeFs.renameSync(registry, `${registry}.${Date.now()}`)],
  [
    'the socket is replaced by one that nobody listens on',
    ({ registry }) => {
      support.nodeFs.unlinkSync(registry)
      using stale = socket(constants.SOCK_SEQPACKET)
      bind(stale, registry)
    },
  ],
]

for (const [title, lose] of LOSSES) {
  t.test(`${title}: new clients are served there again, old ones all the while; and a second time`, async (t) => {
    const place = newPlace(t)
    const { program } = await support.startMemsvc(t, { registry: place.registry, args: ['--socket-mode', '660'] })
    const old = await support.openValue(t, place.registry)
    for (const round of [1, 2]) {
      lose(place)
      await isServedBy(t, place.registry, program.pid)
      await old.set(round)
      t.equal(old.get(), round)
      t.equal(support.nodeFs.lstatSync(place.registry).mode & 0o7777, 0o660)
      t.equal(support.nodeFs.lstatSync(place.lock).mode & 0o7777, 0o600)
      t.match(await support.memsvc(place.registry, ['registry']), {
        code: 1,
        stderr: /another process hosts the registry/,
      })
    }
    program.kill('SIGTERM')
    t.match(await program.ending, { code: 0 })
    t.notOk(support.nodeFs.existsSync(place.registry), 'its new socket is its own to remove')
  })
}

t.test('the lock file alone is removed: the lock is taken anew, and nobody else can have it', async (t) => {
  const place = newPlace(t)
  const { program } = await support.startMemsvc(t, { registry: place.registry })
  for (const _ of [1, 2]) {
    support.nodeFs.unlinkSync(place.lock)
    while (!support.nodeFs.existsSync(place.lock)) await support.nodeTimers.setTimeout(LOOK_MS)
    await isServedBy(t, place.registry, program.pid)
    using other = OwnedFd.adopt(support.nodeFs.openSync(place.lock, 'r+'))
    t.notOk(lockFile(other))
  }
})

t.test('a symlink that leads to the moved socket is as good as the socket', async (t) => {
  const place = newPlace(t)
  const { program } = await support.startMemsvc(t, { registry: place.registry })
  support.nodeFs.renameSync(place.registry, `${place.registry}.moved`)
  support.nodeFs.symlinkSync(`${place.registry}.moved`, place.registry)
  await isServedBy(t, place.registry, program.pid)
  program.kill('SIGTERM')
  t.match(await program.ending, { code: 0 })
  t.ok(support.nodeFs.lstatSync(place.registry).isSymbolicLink(), 'which is not the host’s to remove')
})

t.test('a survivor that took over keeps the path, too, and so does the next', async (t) => {
  const place = newPlace(t)
  const { program: first } = await support.startMemsvc(t, { registry: place.registry, args: ['--name', 'first'] })
  const { program: second } = await support.startMemsvc(t, { registry: place.registry, args: ['--name', 'second'] })
  const { program: third } = await support.startMemsvc(t, { registry: place.registry, args: ['--name', 'third'] })
  const hosts = [second, third].map((program) => says(program, 'hosting the registry').then(() => program))
  await first.destroy()
  const host = await Promise.race(hosts)
  const other = host === second ? third : second
  await support.namesBecome(place.registry, ['second', 'third'])
  support.nodeFs.rmSync(place.folder, { recursive: true })
  await says(host, 'it listens there again')
  await host.destroy()
  await hosts[[second, third].indexOf(other)]
  support.nodeFs.rmSync(place.folder, { recursive: true })
  await says(other, 'it listens there again')
  await support.namesBecome(place.registry, [other === third ? 'third' : 'second'])
})

t.test('clients that wait for a service, or watch, are served after an outage', async (t) => {
  const place = newPlace(t)
  const { program } = await support.startMemsvc(t, { registry: place.registry })
  const watcher = support.startMemclient(t, place.registry, ['watch'])
  await watcher.stdout.next()
  const manager = await support.connect(t, place.registry)
  support.nodeFs.rmSync(place.folder, { recursive: true })
  const waiting = manager.waitForService('late')
  await says(program, 'it listens there again')
  await support.startMemsvc(t, { registry: place.registry, args: ['--name', 'late'] })
  const service = await waiting
  t.ok(await service.pingBinder())
  if ('close' in service && typeof service.close === 'function') service.close()
  const value = await support.openValue(t, place.registry)
  await value.set(7)
  t.ok(await watcher.stdout.find((line) => line === '7'))
})

t.test('another daemon has the path by now: the first one ends, and says which process it is', async (t) => {
  const place = newPlace(t)
  const { program: first } = await support.startMemsvc(t, { registry: place.registry })
  const { program: guest } = await support.startMemsvc(t, { registry: place.registry, args: ['--name', 'guest'] })
  first.kill('SIGSTOP')
  support.nodeFs.rmSync(place.folder, { recursive: true })
  const { program: second } = await support.startMemsvc(t, { registry: place.registry })
  first.kill('SIGCONT')
  const { code, stderr } = await first.ending
  t.equal(code, 1)
  t.match(stderr.split('\n').at(-1), `memsvc: process ${second.pid} `)
  t.match(stderr.split('\n').at(-1), place.lock)
  await isServedBy(t, place.registry, second.pid)
  await support.namesBecome(place.registry, [...support.OWN_NAMES, 'guest'])
  t.match(await support.readStatus(place.registry, 'guest'), { pid: guest.pid, host: false })
})

t.test('another user keeps the lock of a new file: the host ends, and names that user', async (t) => {
  const place = newPlace(t)
  const { program } = await support.startMemsvc(t, { registry: place.registry })
  support.nodeFs.unlinkSync(place.lock)
  using stolen = OwnedFd.adopt(support.nodeFs.openSync(place.lock, 'w', 0o600))
  t.ok(lockFile(stolen))
  const { code, stderr } = await program.ending
  t.equal(code, 1)
  t.match(stderr.split('\n').at(-1), `memsvc: process ${process.pid} `)
})

t.test('somebody else listens at the path without the lock: the host ends, and leaves that socket alone', async (t) => {
  const place = newPlace(t)
  const { program } = await support.startMemsvc(t, { registry: place.registry })
  support.nodeFs.unlinkSync(place.registry)
  using strangers = socket(constants.SOCK_SEQPACKET)
  bind(strangers, place.registry)
  listen(strangers)
  const { ino } = support.nodeFs.lstatSync(place.registry)
  const { code, stderr } = await program.ending
  t.equal(code, 1)
  t.equal(stderr.split('\n').at(-1), `memsvc: another process now serves ${place.registry}`)
  t.equal(support.nodeFs.lstatSync(place.registry).ino, ino)
})

const IN_THE_WAY: [title: string, put: (path: string) => unknown, reason: RegExp][] = [
  ['a file', (path) => support.nodeFs.writeFileSync(path, 'precious'), /is not a socket/],
  ['a folder', (path) => support.nodeFs.mkdirSync(path), /is not a socket/],
  ['a symlink to nothing', (path) => support.nodeFs.symlinkSync('/nowhere/at/all', path), /is not a socket/],
  ['a symlink to itself', (path) => support.nodeFs.symlinkSync(path, path), /ELOOP/],
]

for (const [title, put, reason] of IN_THE_WAY) {
  t.test(`${title} in the socket’s place is left alone and said once; without it the host listens again`, async (t) => {
    const place = newPlace(t)
    const { program } = await support.startMemsvc(t, { registry: place.registry })
    for (const _ of [1, 2]) {
      support.nodeFs.unlinkSync(place.registry)
      put(place.registry)
      const line = await program.stderr.find((text) => text.includes('new clients cannot reach the registry'))
      t.match(JSON.parse(line ?? '{}'), { level: 50, registry: place.registry, reason })
      support.nodeFs.rmSync(place.registry, { recursive: true })
      await isServedBy(t, place.registry, program.pid)
    }
    t.equal(program.stderr.text.split('new clients cannot reach').length - 1, 2)
  })
}

t.test(
  'a folder that others may write to is not used: it is said, and when it is closed the host is back',
  async (t) => {
    const place = newPlace(t)
    const { program } = await support.startMemsvc(t, { registry: place.registry })
    support.nodeFs.rmSync(place.folder, { recursive: true })
    const umask = process.umask(0)
    support.nodeFs.mkdirSync(place.folder, { mode: 0o777 })
    process.umask(umask)
    const line = await program.stderr.find((text) => text.includes('new clients cannot reach the registry'))
    if (line === null) throw new Error(program.stderr.text)
    support.nodeFs.rmSync(place.folder, { recursive: true })
    await isServedBy(t, place.registry, program.pid)
  },
)

t.test('a host that ends removes no socket that has come in place of its own', async (t) => {
  const place = newPlace(t)
  const { program } = await support.startMemsvc(t, { registry: place.registry })
  program.kill('SIGSTOP')
  support.nodeFs.unlinkSync(place.registry)
  using strangers = socket(constants.SOCK_SEQPACKET)
  bind(strangers, place.registry)
  listen(strangers)
  program.kill('SIGTERM')
  program.kill('SIGCONT')
  await program.ending
  t.ok(support.nodeFs.lstatSync(place.registry).isSocket())
})

t.test('a starting process names the holder of a lock that does not listen', async (t) => {
  const registry = newRegistryPath(t)
  using lock = OwnedFd.adopt(support.nodeFs.openSync(`${registry}.lock`, 'w', 0o600))
  t.ok(lockFile(lock))
  for (const command of ['start', 'registry']) {
    const { code, stderr } = await support.memsvc(registry, [command])
    t.equal(code, 1)
    const line = stderr.split('\n').at(-1)
    t.match(line, `memsvc: process ${process.pid} `)
    t.match(line, `holds the lock ${registry}.lock, and nobody listens at ${registry}`)
    t.notMatch(line, "'memsvc start'")
  }
})
