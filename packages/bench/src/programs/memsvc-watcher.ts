/** N watchers of the value, each with a channel of its own. Words: ROOT REGISTRY N. */
import { loadShared } from './library.ts'
import { NoticeLog } from './notices.ts'
import { serveSamples } from './samples.ts'

const [root = '', path = '', count = ''] = process.argv.slice(2)
const { ServiceManager, SharedValue } = await loadShared(root)
const manager = await ServiceManager.connect({ path })
const log = new NoticeLog(Number(count))

async function watch(): Promise<AsyncGenerator<number>> {
  const value = await SharedValue.open(manager)
  const changes = value.changes()
  // The value as it was: from here on the service knows the watcher.
  await changes.next()
  return changes
}

async function follow(changes: AsyncGenerator<number>): Promise<void> {
  for await (const value of changes) log.read(value)
}

for (let i = 0; i < Number(count); i++) void follow(await watch())

await serveSamples({ notices: (milliseconds) => log.sample(milliseconds) })
