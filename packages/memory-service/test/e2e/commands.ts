/** `memsvc status`, `list`, `stop`: what they print, and how they end. */

import { regionStatus } from '@memsvc/shared/internal'
import { leakChecked, newRegistryPath, OTHER_UID, otherUserProblem, watchdog } from '@memsvc/shared/test-support'
import { OwnedFd, pipe } from 'memfd-native'
import t from 'tap'
import { MEMSVC, memsvc, nodeFs, openValue, readStatus, startMemsvc } from '../../test-support/index.ts'

/** F_SEAL_SEAL | SHRINK | GROW | FUTURE_WRITE: what no kernel that runs memsvc may leave out. */
const SEALS = 0x1 | 0x2 | 0x4 | 0x10

watchdog(t)
leakChecked(t)

t.test('status --json is one object with all that the daemon holds', async (t) => {
  const { registry, program } = await startMemsvc(t)
  const value = await openValue(t, registry)
  await value.set(42)
  const status = await readStatus(registry)
  t.match(status, {
    name: 'AnonymousSharedMemory',
    registry,
    host: true,
    pid: program.pid,
    uid: process.getuid?.(),
    value: 42,
    watchers: 0,
    channels: 2,
    connections: 3,
    mappings: 3, // the region, and the store’s area to write and to read
    droppedLogLines: 0,
  })
  t.ok(status.fds > 0)
  t.equal(status.regions.length, 1)
  const [region] = status.regions
  t.equal(region?.size, 4)
  t.equal((region?.seals ?? 0) & SEALS, SEALS)
  t.equal(region?.inode, regionStatus(value.file.getFileDescriptor()).inode, 'the same memory in both processes')
})

t.test('status for people is a line for each', async (t) => {
  const { registry, program } = await startMemsvc(t)
  const { code, stdout } = await memsvc(registry, ['status'])
  t.equal(code, 0)
  const { name, pid, value } = await readStatus(registry)
  for (const [key, shown] of Object.entries({ name, pid, value, registry, host: true })) {
    t.match(`\n${stdout}\n`, `\n${key}: ${shown}\n`)
  }
  t.equal(pid, program.pid)
})

t.test('list has all names, sorted, with their holders', async (t) => {
  const { registry, program } = await startMemsvc(t, { args: ['--name', 'b'] })
  const second = (await startMemsvc(t, { registry, args: ['--name', 'a'] })).program
  const uid = process.getuid?.()
  t.match(await memsvc(registry, ['list']), {
    code: 0,
    stdout: `a\tpid ${second.pid}\tuid ${uid}\nb\tpid ${program.pid}\tuid ${uid}`,
    stderr: '',
  })
  const { stdout } = await memsvc(registry, ['list', '--json'])
  t.strictSame(
    stdout.split('\n').map((line) => JSON.parse(line)),
    [
      { name: 'a', pid: second.pid, uid, dumpPriority: 8 },
      { name: 'b', pid: program.pid, uid, dumpPriority: 8 },
    ],
  )
})

t.test('a name that nobody has ends with 3', async (t) => {
  const { registry } = await startMemsvc(t)
  for (const command of ['status', 'stop']) {
    for (const name of ['nobody', 'no name at all']) {
      const { code, stdout, stderr } = await memsvc(registry, [command, name])
      t.equal(code, 3)
      t.equal(stdout, '')
      t.match(stderr, `memsvc: no service ${JSON.stringify(name)}`)
    }
  }
})

t.test('stop ends the daemon of that name, and no other', async (t) => {
  const { registry, program } = await startMemsvc(t, { args: ['--name', 'host'] })
  const { program: second } = await startMemsvc(t, { registry, args: ['--name', 'second'] })
  t.match(await memsvc(registry, ['stop', 'second', '--json']), {
    code: 0,
    stdout: `{"name":"second","pid":${second.pid},"stopped":true}`,
  })
  t.match(await second.ending, { code: 0 })
  t.equal((await readStatus(registry, 'host')).pid, program.pid)
})

t.test('two who stop the same daemon at once both see it stopped', async (t) => {
  const { registry, program } = await startMemsvc(t)
  const endings = await Promise.all([1, 2, 3].map(() => memsvc(registry, ['stop'])))
  t.match(await program.ending, { code: 0 })
  // One that came after the end found nobody, which is 3.
  for (const { code, stderr } of endings) t.ok(code === 0 || code === 3, stderr)
})

t.test('another user may not stop it', { skip: otherUserProblem(MEMSVC) }, async (t) => {
  const registry = newRegistryPath(t, 0o711)
  const { program } = await startMemsvc(t, { registry, args: ['--socket-mode', '666', '--writers', String(OTHER_UID)] })
  const { code, stdout, stderr } = await memsvc(registry, ['stop'], { uid: OTHER_UID })
  t.equal(code, 4)
  t.equal(stdout, '')
  t.equal(stderr.split('\n').at(-1), `memsvc: uid ${OTHER_UID} may not stop this daemon`)
  t.equal((await readStatus(registry)).pid, program.pid)
})

t.test('a reader of stdout that goes away is a silent 0, one that is full is not', async (t) => {
  const { registry } = await startMemsvc(t)
  const [reader, writer] = pipe()
  reader.close()
  using sink = writer
  using full = OwnedFd.adopt(nodeFs.openSync('/dev/full', 'w'))
  for (const command of ['status', 'list']) {
    t.match(await memsvc(registry, [command], { stdout: sink.fd }), { code: 0, stderr: '' })
    t.match(await memsvc(registry, [command], { stdout: full.fd }), {
      code: 1,
      stderr: /^memsvc: cannot write to stdout: ENOSPC/,
    })
  }
})
