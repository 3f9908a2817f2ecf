/** `memclient list`: who is there, and who serves it. */
import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import { memclient, publish, startMemsvc } from '../../test-support/index.ts'

watchdog(t)
leakChecked(t)

t.test('names are listed one per line, sorted', async (t) => {
  const { registry } = await startMemsvc(t, { args: ['--no-store'] })
  await publish(t, registry, 'b', {})
  await publish(t, registry, 'A', {})
  t.match(await memclient(registry, ['list']), { code: 0, stdout: 'A\nAnonymousSharedMemory\nb', stderr: '' })
})

t.test('with --json each has its process and user', async (t) => {
  const { registry, program } = await startMemsvc(t, { args: ['--no-store'] })
  await publish(t, registry, 'own', {})
  const { code, stdout } = await memclient(registry, ['list', '--json'])
  const uid = process.getuid?.()
  t.equal(code, 0)
  t.strictSame(
    stdout.split('\n').map((line) => JSON.parse(line)),
    [
      { name: 'AnonymousSharedMemory', pid: program.pid, uid },
      { name: 'own', pid: process.pid, uid },
    ],
  )
})
