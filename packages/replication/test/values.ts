/** An int32 of the cluster under a name of its own: for every client of a memory service, memclient among them. */
import { fileURLToPath } from 'node:url'
import { ServiceManager, SharedValue } from '@memsvc/shared'
import t, { type Test } from 'tap'
import * as support from '../test-support/index.ts'

const { NO_ETCD, PREFIX, runProgram, startCluster, startDaemon, startProgram, until } = support
support.patient(t)

const bin = (name: string) => fileURLToPath(import.meta.resolve(`../../../../node_modules/.bin/${name}`))

/** A registry, and a replicator at it with one such name. */
async function begin(t: Test, endpoints: readonly string[]) {
  const { registry } = await startDaemon(t, bin('memsvc'), { command: 'registry' })
  const options = ['--prefix', PREFIX, '--store', 'cluster', '--value', 'limits.rps', '--endpoint', ...endpoints]
  const program = startProgram(bin('memsvc'), ['replicate', '--registry', registry, ...options])
  t.teardown(() => program.destroy())
  if ((await program.stderr.find((line) => line.includes('"msg":"ready"'))) === null)
    throw new Error(program.stderr.text)
  const memclient = (...args: string[]) =>
    runProgram(bin('memclient'), [...args, '--registry', registry, '--timeout', '60'])
  return { registry, program, memclient }
}

t.test('memclient reads, writes and watches a value of the cluster by its name', { skip: NO_ETCD }, async (t) => {
  const cluster = await startCluster(t)
  const { registry, memclient } = await begin(t, cluster.endpoints())
  t.match(await memclient('read', 'limits.rps'), { code: 3 }, 'there is no value, so nobody has the name')
  await cluster.put(`${PREFIX}limits.rps`, '500')
  t.match(await memclient('read', 'limits.rps', '--wait'), { code: 0, stdout: '500' })
  const watching = startProgram(bin('memclient'), ['watch', 'limits.rps', '--registry', registry, '--timeout', '60'])
  t.teardown(() => watching.destroy())
  t.equal(await watching.stdout.next(), '500')
  t.match(await memclient('write', '400', 'limits.rps'), { code: 0 })
  t.equal((await cluster.contents(PREFIX)).get('limits.rps')?.value.toString(), '400')
  t.match(await memclient('read', 'limits.rps'), { stdout: '400' }, 'who wrote it reads it')
  t.equal(await watching.stdout.next(), '400')
  t.match(await memclient('get', 'limits.rps', '--store', 'cluster'), { stdout: '400' }, 'it is the same key')
  await cluster.put(`${PREFIX}limits.rps`, '-7')
  t.equal(await watching.stdout.next(), '-7')
})

t.test(
  'a value that is deleted, or no int32 any more, has no name until it is one again',
  { skip: NO_ETCD },
  async (t) => {
    const cluster = await startCluster(t)
    const { registry, memclient } = await begin(t, cluster.endpoints())
    await cluster.put(`${PREFIX}limits.rps`, '1')
    t.match(await memclient('read', 'limits.rps', '--wait'), { stdout: '1' })
    const manager = await ServiceManager.connect({ path: registry })
    t.teardown(() => manager.close())
    const value = await SharedValue.open(manager, 'limits.rps')
    t.teardown(() => value.close())
    for (const [i, other] of ['"text"', '1.5', '2147483648', null].entries()) {
      if (other === null) await cluster.delete(`${PREFIX}limits.rps`)
      else await cluster.put(`${PREFIX}limits.rps`, other)
      await until(async () => (await memclient('read', 'limits.rps')).code === 3)
      await until(() => !value.isLive)
      await cluster.put(`${PREFIX}limits.rps`, String(10 + i))
      await until(() => value.isLive && value.get() === 10 + i)
    }
  },
)

t.test(
  'without the cluster it is read on, and a change says that nothing has happened',
  { skip: NO_ETCD },
  async (t) => {
    const cluster = await startCluster(t)
    const { memclient } = await begin(t, cluster.endpoints())
    await cluster.put(`${PREFIX}limits.rps`, '5')
    t.match(await memclient('read', 'limits.rps', '--wait'), { stdout: '5' })
    for (const node of cluster.nodes) node.cable.pull()
    t.match(await memclient('write', '6', 'limits.rps'), { code: 5 })
    t.match(await memclient('read', 'limits.rps'), { code: 0, stdout: '5' })
  },
)
