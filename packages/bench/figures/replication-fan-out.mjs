import { setMaxListeners } from 'node:events'
import { mebibytes } from './lib/numbers.mjs'
import { memoryOf, processorOf } from './lib/processor.mjs'
import { loadReplication } from './lib/replication.mjs'

export const TITLE = 'what a machine more costs a node of etcd: its watch, and the look that it asks for each second'
export const DEFAULTS = { machines: 200, changes: 100, bytes: 200, looks: 2000 }

const PREFIX = 'test/'
const AT_ONCE = 16

export async function run(scope, { machines, changes, bytes, looks }) {
  const { EtcdEngine, startCluster, until } = await loadReplication()
  const cluster = await startCluster(scope)
  const [node] = cluster.nodes
  const engines = Array.from({ length: machines }, () => new EtcdEngine({ endpoints: [node.direct], prefix: PREFIX }))
  const end = new AbortController()
  setMaxListeners(0, end.signal)
  scope.teardown(() => {
    end.abort()
    for (const engine of engines) engine.close()
  })
  let [open, came] = [0, 0]
  const sink = {
    onOpen: () => {
      open += 1
    },
    onChanges: (event) => {
      came += event.changes.length
    },
  }
  const before = memoryOf(node.pid)
  for (const engine of engines) engine.watch(2n, sink, end.signal).catch(() => undefined)
  await until(() => open === machines)
  const held = memoryOf(node.pid) - before

  const idle = processorOf(node.pid)
  const value = Buffer.alloc(bytes, 'x')
  for (let i = 0; i < changes; i++) await cluster.put(`${PREFIX}k${i % 10}`, value)
  await until(() => came >= machines * changes)
  const told = processorOf(node.pid)
  let answered = 0
  const ask = async () => {
    while (answered < looks) {
      answered += 1
      await engines[answered % machines].look(Buffer.from('k1'))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, ask))
  const looked = processorOf(node.pid)
  const each = (seconds, count) => `${((seconds / count) * 1e6).toFixed(0)} µs of etcd's processor each`
  return [
    {
      what: 'watches that one node holds',
      attempted: machines,
      survived: open,
      note: `${mebibytes(held / machines)} of its memory each`,
    },
    {
      what: `changes of ${bytes} bytes that came to each of ${machines} machines`,
      attempted: machines * changes,
      survived: came,
      note: each(told - idle, came),
    },
    {
      what: 'looks that were answered',
      attempted: looks,
      survived: Math.min(answered, looks),
      note: each(looked - told, looks),
    },
  ]
}
