/** A document by ioredis: GET and JSON.parse. Words: FOLDER-OF-IOREDIS SOCKET BYTES. */
import { documentOf } from './documents.ts'
import { loadPeer } from './peer.ts'
import { serveSamples, timeCalls, verify } from './samples.ts'

interface Redis {
  set(key: string, value: string): Promise<string>
  get(key: string): Promise<string | null>
}

const [folder = '', path = '', size = '331'] = process.argv.slice(2)
const { Redis } = loadPeer<{ Redis: new (options: { path: string }) => Redis }>(folder, 'ioredis')
const redis = new Redis({ path })
const text = JSON.stringify(documentOf(Number(size)))
await redis.set('document', text)
verify((await redis.get('document')) === text, 'GET answers what was SET')

await serveSamples({
  get: async (milliseconds) => {
    const { p50 } = await timeCalls(milliseconds, async () => JSON.parse((await redis.get('document')) ?? 'null'))
    return { ns: (p50 as number) * 1000 }
  },
})
