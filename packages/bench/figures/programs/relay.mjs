/**
 * A relay, as a site of many racks would have one in each: one watch of the cluster, told to all machines behind it, in the words of etcd's gateway, so
 * that a machine asks it as it would ask a node. A look is answered by a look of the cluster that was begun after it was asked: nothing
 * passes for fresher than it is. A part of what a real one would need, to be measured.
 */
import { once } from 'node:events'
import { Agent, createServer, request } from 'node:http'
import { answer } from '../lib/child.mjs'

const pool = new Agent({ keepAlive: true })
/** Lines of the watch: what was before is asked of nobody, and read anew. */
const KEPT = 10_000
/** Looks of so long are one. */
const LOOK_MS = 100

let upstream = ''
const lines = []
let oldest = 1n
const watchers = new Set()
let waiting = []
let isLooking = false

answer({
  async serve({ endpoint, create }) {
    upstream = endpoint
    oldest = BigInt(create.create_request.start_revision)
    await follow(create)
    const server = createServer(serve).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return { port: server.address().port, pid: process.pid }
  },
  memory() {
    globalThis.gc?.()
    return process.memoryUsage().rss
  },
})

async function serve(message, response) {
  const body = Buffer.concat(await message.toArray())
  if (message.url === '/v3/watch') return watch(JSON.parse(body), response)
  const asked = JSON.parse(body)
  const isLook = message.url === '/v3/kv/range' && asked.range_end === undefined && asked.revision === undefined
  if (isLook) return look(body, response)
  const { status, bytes } = await forward(message.url, body)
  response.writeHead(status).end(bytes)
}

/** All who ask within a moment are answered by one that is begun after it. All of them ask for the same key. */
function look(body, response) {
  waiting.push(response)
  if (isLooking) return
  isLooking = true
  setTimeout(async () => {
    isLooking = false
    const asked = waiting
    waiting = []
    const { status, bytes } = await forward('/v3/kv/range', body)
    for (const each of asked) each.writeHead(status).end(bytes)
  }, LOOK_MS)
}

function watch({ create_request: { start_revision } }, response) {
  response.writeHead(200)
  const from = BigInt(start_revision)
  if (from < oldest) {
    response.end(`${JSON.stringify({ result: { canceled: true, compact_revision: String(oldest) } })}\n`)
    return
  }
  response.write(created)
  for (const { last, line } of lines) if (last >= from) response.write(line)
  watchers.add(response)
  response.on('close', () => watchers.delete(response))
}

let created = ''

async function follow(create) {
  const asked = request(`${upstream}/v3/watch`, { method: 'POST' }).end(JSON.stringify(create))
  const [stream] = await once(asked, 'response')
  await new Promise((resolve) => {
    let rest = ''
    stream.setEncoding('utf8').on('data', (text) => {
      const parts = (rest + text).split('\n')
      rest = parts.pop()
      for (const part of parts) take(`${part}\n`)
      resolve()
    })
  })
}

function take(line) {
  const { result = {} } = JSON.parse(line)
  if (result.created) created = line
  if (result.events === undefined) return
  const last = BigInt(result.events.at(-1).kv.mod_revision)
  lines.push({ last, line })
  if (lines.length > KEPT) oldest = lines.shift().last + 1n
  for (const watcher of watchers) watcher.write(line)
}

async function forward(path, body) {
  const asked = request(`${upstream}${path}`, { method: 'POST', agent: pool }).end(body)
  const [response] = await once(asked, 'response')
  return { status: response.statusCode, bytes: Buffer.concat(await response.toArray()) }
}
