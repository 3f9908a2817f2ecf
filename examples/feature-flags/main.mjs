/** Flags that change under load: `node main.mjs`. Starts the server's workers, sends them requests, and changes the flag meanwhile. */
import { parseArgs } from 'node:util'
import { SharedStore } from '@memsvc/shared'
import { ensureDaemon } from '../support/daemon.mjs'
import { sendRequests } from '../support/load.mjs'
import { startWorkers } from '../support/workers.mjs'

const { values: options } = parseArgs({
  options: {
    workers: { type: 'string', default: '4' },
    requests: { type: 'string', default: '5000' },
    changes: { type: 'string', default: '10' },
  },
})

const endDaemon = await ensureDaemon()
const flags = await SharedStore.open()
await flags.set('flags/greeting', { text: 'hello 0' })
const server = await startWorkers(new URL('server.mjs', import.meta.url), Number(options.workers))

const changes = Number(options.changes)
const requests = Number(options.requests)
let answers = 0
let late = 0
/** Which change every process has: its set has resolved. */
let known = 0
let changing = Promise.resolve()

await sendRequests(server.port, {
  count: requests,
  atATime: 16,
  before: () => known,
  each: ({ text }, knownThen) => {
    answers += 1
    if (Number(text.replace('hello ', '')) < knownThen) late += 1
    if (answers % Math.floor(requests / (changes + 1)) === 0 && answers < requests) changing = changing.then(change)
  },
})
await changing

async function change() {
  if (known === changes) return
  await flags.set('flags/greeting', { text: `hello ${known + 1}` })
  known += 1 // from here on no process answers with the one before
}

console.log(`${answers} requests to ${server.count} workers, ${known} changes of the flag, no restart`)
console.log(`${late} answers with a flag that had been changed before the request was sent`)
await server.end()
flags.close()
endDaemon()
process.exitCode = late === 0 ? 0 : 1
