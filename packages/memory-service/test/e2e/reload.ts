/** Reading the configuration: at the start, and again while a client watches. */

import { Binder, ServiceManager } from '@memsvc/shared'
import { leakChecked, newRegistryPath, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import * as support from '../../test-support/index.ts'

const WRONG = '{\n  "limits": { "names": { "total": 0 } }\n}'
const REASON = ':2: limits.names.total is 0, but must be from 1 to 1000000'

watchdog(t)
leakChecked(t)

t.test('a daemon does not start with a wrong configuration, and says what and where', async (t) => {
  const { path } = new support.ConfigurationFile(t, WRONG)
  const registry = newRegistryPath(t)
  for (const command of ['start', 'registry', 'limits']) {
    const { code, stdout, stderr } = await support.memsvc(registry, [command, '--config', path])
    t.strictSame({ code, stdout, stderr }, { code: 2, stdout: '', stderr: `memsvc: ${path}${REASON}` }, command)
  }
  t.match(await support.memsvc(registry, ['start', '--config', '/none/memsvc.json']), {
    code: 2,
    stderr: 'memsvc: /none/memsvc.json: cannot be read (ENOENT)',
  })
})

t.test('the file in XDG_CONFIG_HOME holds without being named', async (t) => {
  const folder = t.testdir({ memsvc: { 'memsvc.json': WRONG } })
  const { code, stderr } = await support.memsvc(newRegistryPath(t), ['start'], { env: { XDG_CONFIG_HOME: folder } })
  t.equal(code, 2)
  t.match(stderr, `${folder}/memsvc/memsvc.json`)
})

t.test('a wrong file changes nothing, is said to who asked and to the log; a right one holds at once', async (t) => {
  const file = new support.ConfigurationFile(t, { limits: { names: { total: 1 } } })
  const { registry, program } = await support.startMemsvc(t, { args: ['--no-store', '--config', file.path] })
  const refusal = { code: 'ERR_LIMIT', resource: 'names', limit: 1, used: 1 }
  await t.rejects(addAndRemove(registry), refusal)

  file.write(WRONG)
  const wrong = await support.memsvc(registry, ['reload'])
  t.match(wrong, { code: 2, stdout: '' })
  t.match(wrong.stderr, `${file.path}${REASON}`)
  t.match(wrong.stderr, /; the old settings stay$/)
  t.match(support.warnings(program.stderr.text), [{ level: 50, reason: `${file.path}${REASON}` }])
  await t.rejects(addAndRemove(registry), refusal)

  file.write({ limits: { names: { total: 2 } } })
  t.match(await support.memsvc(registry, ['reload', '--json']), { code: 0, stdout: /"reloaded":true/ })
  await t.resolves(addAndRemove(registry))
})

t.test('it is read each time anew, right or wrong, and nothing stays of the times before', async (t) => {
  const file = new support.ConfigurationFile(t, {})
  const { registry, program } = await support.startMemsvc(t, { args: ['--no-store', '--config', file.path] })
  const { fds, mappings } = await support.readStatus(registry)
  for (const total of [1, 3, 1, 2]) {
    for (const _ of ['once', 'again']) {
      file.write({ limits: { names: { total } } })
      t.match(await support.memsvc(registry, ['reload']), { code: 0 })
      if (total === 1) await t.rejects(addAndRemove(registry), { code: 'ERR_LIMIT', limit: 1 })
      else await t.resolves(addAndRemove(registry))
      file.write(WRONG)
      t.match(await support.memsvc(registry, ['reload']), { code: 2 })
      if (total === 1) await t.rejects(addAndRemove(registry), { code: 'ERR_LIMIT', limit: 1 })
      else await t.resolves(addAndRemove(registry))
    }
  }
  t.equal(support.warnings(program.stderr.text).length, 8, 'each wrong one is said')
  for (;;) {
    const now = await support.readStatus(registry)
    if (now.fds === fds && now.mappings === mappings) break
  }
})

t.test('a client who watches notices nothing of a reload', async (t) => {
  const file = new support.ConfigurationFile(t, {})
  const { registry, program } = await support.startMemsvc(t, { args: ['--config', file.path] })
  const value = await support.openValue(t, registry)
  const seen: number[] = []
  for await (const current of value.changes()) {
    seen.push(current)
    if (current === 3) break
    t.match(await support.memsvc(registry, ['reload']), { code: 0 })
    await value.set(current + 1)
  }
  t.strictSame(seen, [0, 1, 2, 3])
  t.strictSame(support.warnings(program.stderr.text), [])
})

t.test('SIGHUP reads it again, right or wrong, and the daemon goes on', async (t) => {
  const file = new support.ConfigurationFile(t, {})
  const { registry, program } = await support.startMemsvc(t, { args: ['--config', file.path] })
  program.kill('SIGHUP')
  t.ok(await program.stderr.find((line) => line.includes('"reloaded"')))
  file.write(WRONG)
  program.kill('SIGHUP')
  t.ok(await program.stderr.find((line) => line.includes('the configuration was not reloaded')))
  t.match(await support.memsvc(registry, ['status']), { code: 0 })
})

t.test('reload of a name that is not there, or without a registry: 3', async (t) => {
  const { registry } = await support.startMemsvc(t)
  t.match(await support.memsvc(registry, ['reload', 'other']), { code: 3 })
  t.match(await support.memsvc(newRegistryPath(t), ['reload']), { code: 3 })
  t.match(
    await support.memsvc(registry, ['reload']),
    { code: 0, stdout: 'AnonymousSharedMemory reloaded' },
    'without a file',
  )
})

/** Publishes a second name for a moment. */
async function addAndRemove(path: string): Promise<void> {
  const manager = await ServiceManager.connect({ path })
  try {
    await manager.addService('second', new Binder())
  } finally {
    manager.close()
  }
}

const NO_FILES: [title: string, put: (path: string, socketPath: string) => unknown, reason: RegExp][] = [
  ['a fifo', (path) => support.nodeChildProcess.execFileSync('mkfifo', [path]), /is not a regular file/],
  [
    'a link to a fifo',
    (path) =>
      support.nodeChildProcess.execFileSync('mkfifo', [`${path}.fifo`]) &&
      support.nodeFs.symlinkSync(`${path}.fifo`, path),
    /is not a regular file/,
  ],
  ['a device', (path) => support.nodeFs.symlinkSync('/dev/zero', path), /is not a regular file/],
  ['a terminal', (path) => support.nodeFs.symlinkSync('/dev/ptmx', path), /is not a regular file/],
  ['a folder', (path) => support.nodeFs.mkdirSync(path), /is not a regular file/],
  ['a socket', (path, socketPath) => support.nodeFs.symlinkSync(socketPath, path), /is not a regular file/],
  ['a link to itself', (path) => support.nodeFs.symlinkSync(path, path), /ELOOP/],
  ['a file of a terabyte', (path) => growTo(path, 2 ** 40), /must have at most 1048576 bytes, and has 1099511627776/],
  [
    'an endless file',
    (path) => support.nodeFs.symlinkSync('/proc/kallsyms', path),
    /must have at most 1048576 bytes, and has more/,
  ],
]

for (const [title, put, reason] of NO_FILES) {
  t.test(
    `${title} in its place: nobody waits for it, the old settings stay, and a signal ends the daemon`,
    async (t) => {
      const file = new support.ConfigurationFile(t, { limits: { names: { total: 1 } } })
      const { registry, program } = await support.startMemsvc(t, { args: ['--config', file.path] })
      support.nodeFs.rmSync(file.path)
      put(file.path, registry)
      t.match(await support.memsvc(registry, ['reload']), { code: 2, stderr: reason })
      program.kill('SIGHUP')
      await support.openValue(t, registry)
      program.kill('SIGTERM')
      t.match(await program.ending, { code: 0, signal: null })
    },
  )
}

function growTo(path: string, size: number): void {
  support.nodeFs.writeFileSync(path, '')
  support.nodeFs.truncateSync(path, size)
}
