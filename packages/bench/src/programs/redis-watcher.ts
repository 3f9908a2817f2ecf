/** N subscribers of Redis, each with a connection of its own. Words: FOLDER-OF-IOREDIS SOCKET N. */
import { NoticeLog } from './notices.ts'
import { loadPeer } from './peer.ts'
import { serveSamples } from './samples.ts'

interface Redis {
  subscribe(channel: string): Promise<unknown>
  on(event: 'message', listener: (channel: string, message: string) => void): void
}

const [folder = '', path = '', count = ''] = process.argv.slice(2)
const { Redis } = loadPeer<{ Redis: new (options: { path: string }) => Redis }>(folder, 'ioredis')
const log = new NoticeLog(Number(count))

for (let i = 0; i < Number(count); i++) {
  const redis = new Redis({ path })
  redis.on('message', (_, message) => log.read(Number(message)))
  await redis.subscribe('changes')
}

await serveSamples({ notices: (milliseconds) => log.sample(milliseconds) })
