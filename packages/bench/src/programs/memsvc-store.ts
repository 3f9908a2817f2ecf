/**
 * A store by the public API. Words: ROOT REGISTRY BYTES. REGISTRY `-`: an owner of its own in this process, for what needs no other; else
 * the daemon's.
 */
import { types } from 'node:util'
import { documentOf } from './documents.ts'
import { loadShared } from './library.ts'
import { serveSamples, timeCalls, timeLoop, verify } from './samples.ts'

const { isExternal } = types
const [root = '', path = '', size = '331'] = process.argv.slice(2)
const bytes = Number(size)
const { IMemoryService, OwnedStore, ServiceManager, SharedStore, SharedValue } = await loadShared(root)

const payload = Buffer.alloc(bytes, 7)
// The documents of the benchmarks are not longer, and to make one takes long.
const document = documentOf(Math.min(bytes, 64 * 1024))
const local = new Map([['document', Object.freeze(document)]])
const text = Buffer.from(JSON.stringify(document))
const target = Buffer.alloc(bytes)

if (path === '-') await serveOwner()
else await serveClient()

/** Puts, by the owner itself; and reads of its own. */
async function serveOwner(): Promise<void> {
  using store = new OwnedStore()
  store.set('payload', payload)
  verify(payload.equals(store.get('payload') as Uint8Array), 'get answers what was set')
  const put = (times: number): number => {
    // To make a number of each version would be a tenth of what is timed.
    let version = 0n
    for (let i = 0; i < times; i++) {
      payload[0] = i & 0x7f
      version = store.set('payload', payload)
    }
    return Number(version & 1n)
  }
  await serveSamples({ put: (milliseconds) => timeLoop(milliseconds, put) })
}

/** Reads and sets of another process. */
async function serveClient(): Promise<void> {
  const store = await SharedStore.open('SharedStore', { path })
  await store.set('document', document as never)
  await store.set('payload', payload)
  verify(JSON.stringify(store.get('document')) === JSON.stringify(document), 'get answers what was set')
  verify(store.readBytes('payload', target) === bytes && target.equals(payload), 'and readBytes')
  const manager = await ServiceManager.connect({ path })
  const service = IMemoryService.asInterface((await SharedValue.open(manager)).binder)
  const entry = store.entry('document')
  // What threads of one process can share: a word that says whether the object that was made of the bytes still is the value.
  const shared = new Uint8Array(new SharedArrayBuffer(8 + Math.max(bytes, text.length)))
  shared.set(text, 8)
  const words = new Int32Array(shared.buffer, 0, 2)
  const made = { version: 0, value: JSON.parse(Buffer.from(shared.subarray(8, 8 + text.length)).toString()) as unknown }
  const sharedBytes = shared.subarray(8, 8 + bytes)
  const keep = (value: unknown): number => (value === undefined ? 1 : 2)
  const repeat = (read: () => unknown) => (times: number) => {
    let sum = 0
    for (let i = 0; i < times; i++) sum += keep(read())
    return sum
  }
  const tasks = {
    get: repeat(() => store.get('document')),
    entry: repeat(() => entry.value),
    map: repeat(() => local.get('document')),
    sab: repeat(() => (Atomics.load(words, 0) === made.version ? made.value : undefined)),
    'sab-bytes': (times: number) => {
      let sum = 0
      for (let i = 0; i < times; i++) {
        if (Atomics.load(words, 0) === made.version) target.set(sharedBytes)
        sum += target[i % bytes] as number
      }
      return sum
    },
    'empty-call': repeat(() => isExternal(local)),
    'read-bytes': (times: number) => {
      let sum = 0
      for (let i = 0; i < times; i++) {
        store.readBytes('payload', target)
        sum += target[i % bytes] as number
      }
      return sum
    },
  }
  const loops = Object.entries(tasks).map(([name, task]) => [name, (ms: number) => timeLoop(ms, task)] as const)
  await serveSamples({
    ...Object.fromEntries(loops),
    set: (milliseconds) => timeCalls(milliseconds, (i) => store.set('number', i)),
    upload: (milliseconds) => timeCalls(milliseconds, () => store.set('payload', payload)),
    'set-value': (milliseconds) => timeCalls(milliseconds, (i) => service.setValue(i)),
  })
}
