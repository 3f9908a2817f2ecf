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
const document = documentOf(bytes)
const local = new Map([['document', Object.freeze(document)]])
const target = Buffer.alloc(bytes)

if (path === '-') await serveOwner()
else await serveClient()

/** Puts, by the owner itself; and reads of its own. */
async function serveOwner(): Promise<void> {
  using store = new OwnedStore()
  store.set('payload', payload)
  verify(payload.equals(store.get('payload') as Uint8Array), 'get answers what was set')
  const put = (times: number): number => {
    let sum = 0
    for (let i = 0; i < times; i++) {
      payload[0] = i & 0x7f
      sum += Number(store.set('payload', payload) & 1n)
    }
    return sum
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
    'set-value': (milliseconds) => timeCalls(milliseconds, (i) => service.setValue(i)),
  })
}
