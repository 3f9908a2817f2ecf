import { setMaxListeners } from 'node:events'
import { mebibytes } from './lib/numbers.mjs'
import { memoryOf, processorOf } from './lib/processor.mjs'
import { loadReplication } from './lib/replication.mjs'

export const TITLE = 'what a machine more costs a node of etcd: its watch, and the look that it asks for each second'
export const DEFAULTS = { machines: 200, changes: 100, bytes: 200, looks: 2000 }

const PREFIX = 'test/'
const AT_ONCE = 16
/** On a machine that has much else to do one more takes longer than a machine is patient. */
const OPENED_AT_ONCE = 64

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
  const watchers = engines.map((engine) => new Watcher(engine, end.signal))
  const before = memoryOf(node.pid)
  for (const some of inTurns(watchers, OPENED_AT_ONCE)) await Promise.all(some.map((watcher) => watcher.begin()))
  const held = memoryOf(node.pid) - before

  const idle = processorOf(node.pid)
  const value = Buffer.alloc(bytes, 'x')
  for (let i = 0; i < changes; i++) await cluster.put(`${PREFIX}k${i % 10}`, value)
  const cameTo = () => watchers.reduce((sum, { came }) => sum + came, 0)
  await until(() => cameTo() >= machines * changes)
  const came = cameTo()
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
      survived: watchers.filter(({ isOpen }) => isOpen).length,
      note: `${mebibytes(held / machines)} of its memory each; opened ${again(watchers)} times again`,
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

/** As a machine does it: a watch that ends is opened again, from where it was. */
class Watcher {
  came = 0
  sessions = 0
  isOpen = false
  #from = 2n
  #engine
  #signal

  constructor(engine, signal) {
    this.#engine = engine
    this.#signal = signal
  }

  /** Resolves when it is open. */
  begin() {
    return new Promise((resolve) => void this.#run(resolve))
  }

  async #run(onOpen) {
    const sink = {
      onOpen: () => {
        this.isOpen = true
        onOpen()
      },
      onChanges: ({ changes }) => {
        this.came += changes.length
        this.#from = changes.at(-1).revision + 1n
      },
    }
    while (!this.#signal.aborted) {
      this.sessions += 1
      await this.#engine.watch(this.#from, sink, this.#signal).catch(() => undefined)
      this.isOpen = false
    }
  }
}

function again(watchers) {
  return watchers.reduce((sum, { sessions }) => sum + sessions - 1, 0)
}

function* inTurns(list, count) {
  for (let i = 0; i < list.length; i += count) yield list.slice(i, i + count)
}
