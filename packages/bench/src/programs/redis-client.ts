/** Redis by ioredis. Words: FOLDER-OF-IOREDIS SOCKET BYTES-OF-THE-VALUE-READ PAUSE-IN-MS. */
import { setInIntervals } from './notices.ts'
import { loadPeer } from './peer.ts'
import { serveSamples, timeCalls, timeThroughput, verify } from './samples.ts'

interface Redis {
  set(key: string, value: number | Buffer): Promise<string>
  getBuffer(key: string): Promise<Buffer>
  get(key: string): Promise<string | null>
  publish(channel: string, message: number): Promise<number>
  disconnect(): void
}
type RedisClass = new (options: { path: string; enableAutoPipelining?: boolean }) => Redis

const [folder = '', path = '', size = '4', pause = '1'] = process.argv.slice(2)
const { Redis } = loadPeer<{ Redis: RedisClass }>(folder, 'ioredis')
const redis = new Redis({ path })
const packing = new Redis({ path, enableAutoPipelining: true })

await redis.set('value', 42)
verify((await redis.get('value')) === '42', 'GET answers what was SET')
const payload = Buffer.alloc(Number(size), 7)
await redis.set('payload', payload)
verify(payload.equals(await redis.getBuffer('payload')), 'GET answers the bytes')

async function attach(): Promise<Redis> {
  const fresh = new Redis({ path })
  if ((await fresh.get('value')) === null) throw new Error('no value')
  return fresh
}

/** Both at once: the two commands leave in one write. */
function setAndPublish(value: number): Promise<unknown> {
  return Promise.all([redis.set('value', value), redis.publish('changes', value)])
}

await serveSamples({
  set: (milliseconds) => timeCalls(milliseconds, (i) => redis.set('value', i)),
  changes: (milliseconds) => setInIntervals(milliseconds, Number(pause), setAndPublish),
  pipelined: (milliseconds) => timeThroughput(milliseconds, (i) => redis.set('value', i)),
  'auto-pipelined': (milliseconds) => timeThroughput(milliseconds, (i) => packing.set('value', i)),
  read: async (milliseconds) => {
    const { p50 } = await timeCalls(milliseconds, () => redis.getBuffer('payload'))
    return { ns: (p50 as number) * 1000 }
  },
  attach: (milliseconds) => timeCalls(milliseconds, attach, (fresh) => fresh.disconnect()),
})
