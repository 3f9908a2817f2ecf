/** `memclient info`: this process' own view of the region, to hold against the daemon's. */
import { MemoryFile } from '@memsvc/shared'
import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import { daemonStatus, memclient, publish, startMemsvc } from '../../test-support/index.ts'

watchdog(t)
leakChecked(t)

t.test('both sides see the same memory', async (t) => {
  const { registry, program } = await startMemsvc(t)
  await memclient(registry, ['write', '42'])
  const { code, stdout } = await memclient(registry, ['info', '--json'])
  const info = JSON.parse(stdout)
  t.equal(code, 0)
  t.strictSame(Object.keys(info), ['fd', 'inode', 'seals', 'size', 'value', 'server'])
  t.match(info, { size: 4, value: 42, server: { pid: program.pid, uid: process.getuid?.() ?? -1 } })
  const [region] = (await daemonStatus(registry)).regions
  t.match(region, { inode: info.inode, seals: info.seals, size: info.size })
})

t.test('people get the names of the seals', async (t) => {
  const { registry, program } = await startMemsvc(t)
  const { code, stdout } = await memclient(registry, ['info'])
  t.equal(code, 0)
  t.match(stdout, /^name {4}AnonymousSharedMemory\nvalue {3}0\n/)
  t.match(stdout, /^seals {3}SEAL SHRINK GROW FUTURE_WRITE/m)
  t.match(stdout, new RegExp(`^server {2}pid ${program.pid}, uid ${process.getuid?.()}$`, 'm'))
})

t.test('a region that others may write is seen as such', async (t) => {
  const { registry } = await startMemsvc(t)
  using file = new MemoryFile('own', 4096)
  await publish(t, registry, 'own', { getFileDescriptor: () => file.getParcelFileDescriptor() })
  const { code, stdout } = await memclient(registry, ['info', 'own'])
  t.equal(code, 0)
  t.match(stdout, /^seals {3}SHRINK GROW( EXEC)?$/m)
  t.match(stdout, /^size {4}4096 bytes$/m)
})
