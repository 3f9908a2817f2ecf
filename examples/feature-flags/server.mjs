/** A web server whose answers depend on a flag. It runs in as many processes as you like, and none is ever restarted. */
import { createServer } from 'node:http'
import { SharedStore } from '@memsvc/shared'

const store = await SharedStore.open()
const greeting = store.entry('flags/greeting') // a handle: each look at its value is a load from shared memory

createServer((_request, response) => {
  response.end(greeting.value?.text ?? 'hello')
}).listen(Number(process.argv[2] ?? 0), '127.0.0.1')
