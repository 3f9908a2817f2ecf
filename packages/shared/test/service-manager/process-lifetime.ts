/** What of a manager keeps its process alive: a published service, a registered callback; nothing that is over. */
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { Binder } from '../../src/binder/binder.ts'
import { connect, leakChecked, runProgram, startProgram, startRegistry, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

const program = fileURLToPath(import.meta.resolve('../../test-support/fixtures/manager-process.js'))

for (const action of [
  'list',
  'get nothing',
  'get',
  'get and close',
  'wait',
  'wait in vain',
  'add what is taken',
  'register and unregister',
]) {
  t.test(`a process ends by itself after: ${action}`, async (t) => {
    const { registry } = await startRegistry(t)
    await (await connect(t, registry)).addService('somebody', new Binder())
    const { code, stdout, stderr } = await runProgram(program, [registry, action])
    t.strictSame([code, stdout, stderr], [0, `did ${action}`, ''])
  })
}

t.test('a process goes on as long as its service is published', async (t) => {
  const { registry } = await startRegistry(t)
  const publishing = startProgram(program, [registry, 'add'])
  t.teardown(() => publishing.destroy())
  const manager = await connect(t, registry)
  const service = await manager.waitForService('mine')
  await publishing.stdout.find((line) => line === 'did add')
  for (let round = 0; round < 5; round++) t.equal(await service.pingBinder(), true)
  t.strictSame(await manager.listServices(), ['mine'])
  if ('close' in service && typeof service.close === 'function') service.close()
})

t.test('a process goes on as long as its callback is registered', async (t) => {
  const { registry, program: host } = await startRegistry(t)
  const listening = startProgram(program, [registry, 'register'])
  t.teardown(() => listening.destroy())
  await listening.stdout.find((line) => line === 'did register')
  await host.destroy()
  // Without a registry it looks for the next one, and is told by it.
  await startRegistry(t, { registry })
  await (await connect(t, registry)).addService('nobody', new Binder())
  t.equal(await listening.stdout.find((line) => line.startsWith('told')), 'told nobody')
})
