/** The sample app in its two processes, and with the commands of this repository. */
import t from 'tap'
import { leakChecked, startDaemon, watchdog } from '../../packages/shared/dist/test-support/harness.js'
import { MEMSVC, memclient, runExample, startExample, startRegistry } from './support/programs.mjs'

const SERVER = 'seed-app/server.mjs'
const CLIENT = 'seed-app/client.mjs'
const DONE = { code: 0, signal: null, stderr: '' }

watchdog(t)
leakChecked(t)

async function startServer(t, registry, ...args) {
  const server = startExample(t, SERVER, args, registry)
  t.equal(await server.stdout.find((line) => line.startsWith('Succeed')), 'Succeed to add memory service.')
  return server
}

t.test('the client reads what it has written', async (t) => {
  const registry = await startRegistry(t)
  await startServer(t, registry)
  t.same(await runExample(t, CLIENT, ['read'], registry), { ...DONE, stdout: '0' })
  for (const value of ['42', '-1', '2147483647', '-2147483648']) {
    t.same(await runExample(t, CLIENT, ['write', value], registry), { ...DONE, stdout: '' })
    t.same(await runExample(t, CLIENT, ['read'], registry), { ...DONE, stdout: value })
  }
})

t.test('the sample and the commands speak to each other', async (t) => {
  const registry = await startRegistry(t)
  await startServer(t, registry)
  t.same(await memclient(t, ['write', '7', 'SeedApp'], registry), { ...DONE, stdout: '' })
  t.same(await runExample(t, CLIENT, ['read'], registry), { ...DONE, stdout: '7' })
  t.same(await runExample(t, CLIENT, ['write', '-8'], registry), { ...DONE, stdout: '' })
  t.same(await memclient(t, ['read', 'SeedApp'], registry), { ...DONE, stdout: '-8' })
  t.match(await memclient(t, ['info', 'SeedApp'], registry), { code: 0, stdout: /^seals .*FUTURE_WRITE/m })
  t.match(await memclient(t, ['watch', 'SeedApp'], registry), { code: 1, stderr: /cannot be watched/ })
})

t.test('the client of the sample reads and writes the daemon of this repository', async (t) => {
  const { registry } = await startDaemon(t, MEMSVC)
  t.same(await runExample(t, CLIENT, ['write', '5', 'AnonymousSharedMemory'], registry), { ...DONE, stdout: '' })
  t.same(await runExample(t, CLIENT, ['read', 'AnonymousSharedMemory'], registry), { ...DONE, stdout: '5' })
  t.same(await memclient(t, ['read'], registry), { ...DONE, stdout: '5' })
})

t.test('the client says who is missing', async (t) => {
  const registry = await startRegistry(t)
  t.match(await runExample(t, CLIENT, ['read'], registry), { code: 1, stderr: /no service named SeedApp/ })
  t.match(await runExample(t, CLIENT, ['reed'], registry), { code: 2, stderr: /^usage/ })
})

t.test('a second server of that name is refused', async (t) => {
  const registry = await startRegistry(t)
  const { pid } = await startServer(t, registry)
  const second = await runExample(t, SERVER, [], registry)
  t.match(second, { code: 1, stderr: new RegExp(`^Failed to add Memory Service. .*${pid}`, 'm') })
})
