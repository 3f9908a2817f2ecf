/** The client that knows nothing but docs/protocol.md, with the real daemon and with memclient. */
import { Binder, IMemoryService, MemoryFile, ParcelFileDescriptor, SecurityError, ServiceManager } from '@memsvc/shared'
import { constants, ftruncate, Hub, memfdCreate, mmap } from 'memfd-native'
import t from 'tap'
import { leakChecked, startDaemon, watchdog } from '../../packages/shared/dist/test-support/harness.js'
import { MEMSVC, memclient, runExample, startExample, startRegistry } from './support/programs.mjs'

const CLIENT = 'python-client/memclient.py'
const DONE = { code: 0, signal: null, stderr: '' }

watchdog(t)
leakChecked(t)
Hub.current() // it keeps its descriptors from first use on: they are no leak of the test that comes first

function python(t, args, registry) {
  return runExample(t, CLIENT, args, registry)
}

/** Publishes services of the test's own process, until the test ends. */
async function publish(t, registry, services) {
  const manager = await ServiceManager.connect({ path: registry })
  t.teardown(() => manager.close())
  for (const [name, binder] of Object.entries(services)) await manager.addService(name, binder)
}

t.test('reads and writes, as memclient does', async (t) => {
  const { registry } = await startDaemon(t, MEMSVC)
  for (const value of ['42', '-1', '2147483647', '-2147483648']) {
    t.same(await python(t, ['write', value], registry), { ...DONE, stdout: '' })
    t.same(await python(t, ['read'], registry), { ...DONE, stdout: value })
    t.same(await python(t, ['read', '--json'], registry), await memclient(t, ['read', '--json'], registry))
  }
  t.same(await memclient(t, ['write', '7'], registry), { ...DONE, stdout: '' })
  t.same(await python(t, ['read'], registry), { ...DONE, stdout: '7' })
})

t.test('sees the memory that memclient sees', async (t) => {
  const { registry } = await startDaemon(t, MEMSVC)
  const [mine, theirs] = await Promise.all(
    [python, memclient].map(async (run) => JSON.parse((await run(t, ['info', '--json'], registry)).stdout)),
  )
  t.same({ ...mine, fd: 0 }, { ...theirs, fd: 0 })
  const [forPeople, same] = await Promise.all([python, memclient].map((run) => run(t, ['info'], registry)))
  t.equal(forPeople.stdout.replace(/^fd .*$/m, ''), same.stdout.replace(/^fd .*$/m, ''))
})

t.test('watches, over a restart of the daemon', async (t) => {
  const { registry, program } = await startDaemon(t, MEMSVC)
  const watcher = startExample(t, CLIENT, ['watch'], registry)
  t.equal(await watcher.stdout.next(), '0')
  for (const value of ['1', '2', '3']) {
    await memclient(t, ['write', value], registry)
    t.equal(await watcher.stdout.next(), value)
  }
  await program.destroy()
  t.ok(await watcher.stderr.find((line) => line.includes('is gone, waiting for it to come back')))
  await startDaemon(t, MEMSVC, { registry })
  t.equal(await watcher.stdout.next(), '0')
  watcher.kill('SIGINT')
  t.match(await watcher.ending, { code: 0, signal: null })
})

t.test('a burst of changes is told to its last value', async (t) => {
  const { registry } = await startDaemon(t, MEMSVC)
  const watcher = startExample(t, CLIENT, ['watch', '--json'], registry)
  await watcher.stdout.next()
  const manager = await ServiceManager.connect({ path: registry })
  const service = IMemoryService.asInterface(await manager.getService('AnonymousSharedMemory'))
  await Promise.all(Array.from({ length: 500 }, (_, i) => service.setValue(i + 1)))
  t.ok(await watcher.stdout.find((line) => line.endsWith('"value":500}')))
  service.asBinder().close()
  manager.close()
})

t.test('a reply of many packets, and packets of many messages, come whole', async (t) => {
  const registry = await startRegistry(t)
  const names = Array.from({ length: 400 }, (_, i) => `${i}`.padStart(3, '0').padEnd(127, '.'))
  for (let i = 0; i < names.length; i += 100) {
    await publish(t, registry, Object.fromEntries(names.slice(i, i + 100).map((name) => [name, new Binder()])))
  }
  const { code, stdout, stderr } = await python(t, ['list'], registry)
  t.same({ code, stderr }, { code: 0, stderr: '' })
  t.same(stdout.split('\n'), names, `${2 * 128 * names.length} bytes`)
})

t.test('exit codes are those of memclient', async (t) => {
  const { registry } = await startDaemon(t, MEMSVC)
  const CASES = [['read', 'nobody'], ['write', '1', 'nobody'], ['write', 'x'], ['write', '2147483648'], [], ['reed']]
  for (const args of [...CASES, ['read', '--registry', '/nowhere/registry.sock']]) {
    const { code } = await memclient(t, args, registry)
    t.equal((await python(t, args, registry)).code, code, `${args.join(' ')}: ${code}`)
  }
})

function unsealed() {
  const memfd = memfdCreate('unsealed', constants.MFD_ALLOW_SEALING)
  ftruncate(memfd, mmap.PAGESIZE)
  return ParcelFileDescriptor.adoptFd(memfd.release())
}

function pipeEnd() {
  const [source, sink] = ParcelFileDescriptor.createPipe()
  sink.close()
  return source
}

function tooShort() {
  const file = new MemoryFile('short', 3)
  const descriptor = file.shareReadOnly()
  file.close()
  return descriptor
}

function denied() {
  throw new SecurityError('not for you')
}

/** What a service answers to getFileDescriptor, and what becomes of it. */
const ODD_ANSWERS = {
  unsealed: [unsealed, 1, /can shrink/],
  pipe: [pipeEnd, 1, /not a memfd/],
  short: [tooShort, 1, /3 bytes/],
  none: [() => null, 3, /no region/],
  denied: [denied, 4, /not for you/],
}

t.test('unsafe regions are not mapped', async (t) => {
  const registry = await startRegistry(t)
  for (const [name, [getFileDescriptor]] of Object.entries(ODD_ANSWERS)) {
    class OddService extends IMemoryService.Stub {
      getFileDescriptor = getFileDescriptor
    }
    await publish(t, registry, { [name]: new OddService() })
  }
  for (const [name, [, code, stderr]] of Object.entries(ODD_ANSWERS)) {
    t.match(await python(t, ['read', name], registry), { code, stdout: '', stderr }, name)
  }
})

t.test('its own tests pass', async (t) => {
  t.match(await runExample(t, 'python-client/test_packets.py', [], ''), { code: 0 })
})
