/** The owner of a store with many keys, each of 16 bytes, under the name `Many`. Words: ROOT REGISTRY KEYS. */
import { manyKeys } from './documents.ts'
import { loadShared } from './library.ts'

const [root = '', path = '', count = ''] = process.argv.slice(2)
const { OwnedStore, ServiceManager } = await loadShared(root)
const keys = manyKeys(Number(count))
const store = new OwnedStore({ capacity: 2 ** 20 * 64 + keys.length * 256, maxKeys: keys.length + 1 })
const value = Buffer.alloc(16, 7)
for (const key of keys) store.set(key, value)
const manager = await ServiceManager.connect({ path })
await manager.addService('Many', store.binder)
process.stdout.write('ready\n')
