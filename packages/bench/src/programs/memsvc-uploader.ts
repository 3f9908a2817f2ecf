/** So many uploads at once, again and again until it ends. Words: ROOT REGISTRY UPLOADS BYTES. A channel has four under way at most. */
import { loadShared } from './library.ts'

const OF_CHANNEL = 4

const [root = '', path = '', count = '', bytes = ''] = process.argv.slice(2)
const { SharedStore } = await loadShared(root)
const payload = Buffer.alloc(Number(bytes), 7)

async function uploadOn(store: Awaited<ReturnType<typeof SharedStore.open>>, key: string): Promise<never> {
  for (;;) await store.set(key, payload, { timeoutMs: 60_000 })
}

for (let i = 0; i < Number(count); i += OF_CHANNEL) {
  const store = await SharedStore.open('SharedStore', { path })
  for (let j = 0; j < OF_CHANNEL; j++) void uploadOn(store, `upload-${i + j}`)
}
process.stdout.write('ready\n')
