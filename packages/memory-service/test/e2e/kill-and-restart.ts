/** What a kill -9 of the daemon leaves to its clients, and what the next daemon finds. */
import { DEFAULT_SERVICE_NAME, SharedValue } from '@memsvc/shared'
import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import { connect, death, memclient, openValue, startMemclient, startMemsvc } from '../../test-support/index.ts'

watchdog(t)
leakChecked(t)

t.test('a mapped reader keeps the last value, learns of the death, and cannot write any more', async (t) => {
  const { registry, program } = await startMemsvc(t)
  const value = await openValue(t, registry)
  await value.set(-2147483648)
  const dead = death(value.binder)
  program.kill('SIGKILL')
  await dead
  t.notOk(value.binder.isBinderAlive())
  t.equal(value.get(), -2147483648)
  await t.rejects(value.set(1), { code: 'ERR_DEAD_OBJECT' })
  t.equal(value.get(), -2147483648)
})

t.test('a call that is under way fails, and does not wait', async (t) => {
  const { registry, program } = await startMemsvc(t)
  const value = await openValue(t, registry)
  program.kill('SIGSTOP')
  const calls = Array.from({ length: 50 }, (_, i) => value.set(i))
  program.kill('SIGKILL')
  for (const result of await Promise.allSettled(calls)) {
    t.match(result, { status: 'rejected', reason: { code: 'ERR_DEAD_OBJECT' } })
  }
})

t.test('a loop over the changes goes on with the next daemon', async (t) => {
  const { registry, program } = await startMemsvc(t)
  const value = await openValue(t, registry)
  await value.set(42)
  const changes = value.changes()
  t.same(await changes.next(), { value: 42, done: false })
  await program.destroy()
  await startMemsvc(t, { registry })
  t.same(await changes.next(), { value: 0, done: false }, 'the next daemon’s value')
})

t.test('a loop over a service without a registry ends with its death, and the region is frozen', async (t) => {
  const { registry, program } = await startMemsvc(t)
  const old = await SharedValue.of(await (await connect(t, registry)).waitForService(DEFAULT_SERVICE_NAME))
  t.teardown(() => old.close())
  const changes = old.changes()
  t.same(await changes.next(), { value: 0, done: false })
  await old.set(42)
  t.same(await changes.next(), { value: 42, done: false })
  program.kill('SIGKILL')
  await t.rejects(changes.next(), { code: 'ERR_DEAD_OBJECT' })
  await program.destroy()
  await startMemsvc(t, { registry })
  const next = await openValue(t, registry)
  t.equal(next.get(), 0, 'the next daemon has another region')
  await next.set(43)
  t.strictSame([old.get(), next.get()], [42, 43])
})

t.test('a client that was connected finds the next daemon by the same ServiceManager', async (t) => {
  const { registry, program } = await startMemsvc(t)
  const manager = await connect(t, registry)
  await manager.listServices()
  await program.destroy()
  await t.rejects(manager.getService('AnonymousSharedMemory'), { code: /ERR_REGISTRY_UNAVAILABLE|ERR_DEAD_OBJECT/ })
  const waiting = manager.waitForService('AnonymousSharedMemory')
  const { program: next } = await startMemsvc(t, { registry })
  await waiting
  t.equal((await manager.getServiceInfo('AnonymousSharedMemory'))?.pid, next.pid)
})

t.test('`memclient read` and `write` without a daemon end with 3 at once, and work with the next one', async (t) => {
  const { registry, program } = await startMemsvc(t)
  await program.destroy()
  t.match(await memclient(registry, ['read']), { code: 3, stdout: '' })
  t.match(await memclient(registry, ['write', '1']), { code: 3, stdout: '' })
  await startMemsvc(t, { registry })
  t.match(await memclient(registry, ['write', '1']), { code: 0 })
  t.match(await memclient(registry, ['read']), { code: 0, stdout: '1' })
})

t.test('`memclient watch` goes on with the next daemon', async (t) => {
  const { registry, program } = await startMemsvc(t)
  const watcher = startMemclient(t, registry, ['watch'])
  t.equal(await watcher.stdout.next(), '0')
  await memclient(registry, ['write', '42'])
  t.equal(await watcher.stdout.next(), '42')
  await program.destroy()
  await startMemsvc(t, { registry })
  t.equal(await watcher.stdout.next(), '0', 'the next daemon’s value')
  await memclient(registry, ['write', '43'])
  t.equal(await watcher.stdout.next(), '43')
})
