/** A program that publishes a store, in which the key `a` has its argument. */
import { OwnedStore, ServiceManager } from '@memsvc/shared'

const store = new OwnedStore()
store.set('a', JSON.parse(process.argv[2] ?? 'null'))
const manager = await ServiceManager.connect()
await manager.addService('SharedStore', store.binder)
console.log('published')
