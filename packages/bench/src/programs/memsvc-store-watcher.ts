/** N watchers of a key of the daemon's store, each with a channel of its own. Words: ROOT REGISTRY N. */
import { loadShared } from './library.ts'
import { NoticeLog } from './notices.ts'
import { serveSamples } from './samples.ts'

const [root = '', path = '', count = ''] = process.argv.slice(2)
const { SharedStore } = await loadShared(root)
const log = new NoticeLog(Number(count))

async function follow(store: Awaited<ReturnType<typeof SharedStore.open>>): Promise<void> {
  for await (const { value } of store.changes('stamp')) log.read(value as number)
}

for (let i = 0; i < Number(count); i++) void follow(await SharedStore.open('SharedStore', { path }))

await serveSamples({ notices: (milliseconds) => log.sample(milliseconds) })
