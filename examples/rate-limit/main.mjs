/** A limit that workers share: `node main.mjs`. Starts the server's workers, and sends more requests than are allowed. */
import { setTimeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { SharedStore } from '@memsvc/shared'
import { ensureDaemon } from '../support/daemon.mjs'
import { sendRequests } from '../support/load.mjs'
import { startWorkers } from '../support/workers.mjs'

const { values: options } = parseArgs({
  options: {
    workers: { type: 'string', default: '4' },
    requests: { type: 'string', default: '300' },
    limit: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '2' },
    windows: { type: 'string', default: '2' },
  },
})

const endDaemon = await ensureDaemon()
const store = await SharedStore.open()
await store.delete('rate/127.0.0.1')
const windowMs = Number(options.seconds) * 1000
const server = await startWorkers(new URL('server.mjs', import.meta.url), Number(options.workers), [
  options.limit,
  String(windowMs),
])

for (let window = 1; window <= Number(options.windows); window++) {
  let allowed = 0
  const count = Number(options.requests)
  await sendRequests(server.port, {
    count,
    atATime: 16,
    each: ({ status }) => {
      if (status === 200) allowed += 1
    },
  })
  console.log(`window ${window}: ${allowed} of ${count} requests to ${server.count} workers were let in`)
  if (window < Number(options.windows)) await setTimeout(windowMs)
}
await server.end()
store.close()
endDaemon()
