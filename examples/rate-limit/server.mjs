/** A web server that lets a client in so often and no more, whichever of its processes the client comes to. */
import { createServer } from 'node:http'
import { SharedStore } from '@memsvc/shared'

const [limit, windowMs] = process.argv.slice(2).map(Number)
const store = await SharedStore.open()

createServer(async (request, response) => {
  const client = request.headers['x-client'] ?? request.socket.remoteAddress
  // The first request of a window makes the key, and the window ends with it.
  const count = await store.increment(`rate/${client}`, 1, { ttlMs: windowMs })
  response.statusCode = count <= limit ? 200 : 429
  response.end(`${count}`)
}).listen(0, '127.0.0.1')
