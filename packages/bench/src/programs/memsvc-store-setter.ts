/** Sets a key of the daemon's store, in intervals. Words: ROOT REGISTRY PAUSE-IN-MS. */
import { loadShared } from './library.ts'
import { setInIntervals } from './notices.ts'
import { serveSamples } from './samples.ts'

const [root = '', path = '', pause = '1'] = process.argv.slice(2)
const { SharedStore } = await loadShared(root)
const store = await SharedStore.open('SharedStore', { path })
await store.set('stamp', 0)

await serveSamples({
  changes: (milliseconds) => setInIntervals(milliseconds, Number(pause), (now) => store.set('stamp', now)),
})
