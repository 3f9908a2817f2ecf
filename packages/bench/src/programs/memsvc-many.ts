/** Reads of a store with many keys, each of 16 bytes, in no order. Words: ROOT REGISTRY KEYS. */
import { types } from 'node:util'
import { manyKeys, shuffled } from './documents.ts'
import { loadInternal, loadShared } from './library.ts'
import { serveSamples, timeLoop, verify } from './samples.ts'

const { isExternal } = types
const [root = '', path = '', count = ''] = process.argv.slice(2)
const { IStore, ServiceManager, SharedStore } = await loadShared(root)
const { attach } = await loadInternal(root)
const keys = shuffled(manyKeys(Number(count)))
const manager = await ServiceManager.connect({ path })
const binder = await manager.waitForService('Many')
const [area] = attach(await IStore.asInterface(binder).open(null))
const store = await SharedStore.open('Many', { path })
const handles = keys.map((key) => area?.reader.key(key))
const entries = keys.map((key) => store.entry(key))
const target = Buffer.alloc(16)
verify(store.size === keys.length, 'all keys are there')
verify(
  handles.every((handle) => handle?.read(target) === 16 && target[0] === 7),
  'each handle reads its value',
)

/** On and on: the next of all keys, each time. */
function inTurn(read: (i: number) => unknown): (times: number) => number {
  let i = 0
  return (times) => {
    let sum = 0
    for (let left = times; left > 0; left--) {
      i = i + 1 === keys.length ? 0 : i + 1
      sum += read(i) === undefined ? 1 : 2
    }
    return sum + (target[0] as number)
  }
}

const tasks = {
  'empty-call': inTurn(() => isExternal(store)),
  handle: inTurn((i) => handles[i]?.read(target)),
  entry: inTurn((i) => entries[i]?.value),
  'read-bytes': inTurn((i) => store.readBytes(keys[i] as string, target)),
  get: inTurn((i) => store.get(keys[i] as string)),
}
const loops = Object.entries(tasks).map(([name, task]) => [name, (ms: number) => timeLoop(ms, task)] as const)
await serveSamples(Object.fromEntries(loops))
