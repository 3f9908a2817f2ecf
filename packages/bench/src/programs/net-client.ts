/** The client of node:net, by promises. Words: PATH MODE, as the server. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { serveSamples, timeCalls, timeThroughput, verify } from './samples.ts'

const MESSAGE_BYTES = 16
const [path = '', mode = ''] = process.argv.slice(2)

interface Client {
  readonly socket: Socket
  /** Answers the value that the server has then. */
  set(value: number): Promise<number>
}

const socket = await open()
const client = mode === 'json' ? jsonClient(socket) : binaryClient(socket, mode === 'packed')
for (const number of [1, -2_147_483_648, 42]) verify((await client.set(number)) === number, 'the answer has the value')

async function open(): Promise<Socket> {
  const opened = connect(path)
  await once(opened, 'connect')
  return opened
}

/** Answers come in the order of the calls. `isPacked`: what is called while a call is in flight leaves together. */
function binaryClient(socket: Socket, isPacked: boolean): Client {
  const waiting: ((value: number) => void)[] = []
  let first = 0
  let [pack, packed] = [Buffer.alloc(MESSAGE_BYTES * 64), 0]
  let rest: Buffer = Buffer.alloc(0)
  const flush = () => {
    socket.write(pack.subarray(0, packed))
    ;[pack, packed] = [Buffer.alloc(MESSAGE_BYTES * 64), 0]
  }
  const send = (value: number) => {
    if (!isPacked) {
      const message = Buffer.allocUnsafe(MESSAGE_BYTES)
      message.writeInt32LE(value, 0)
      socket.write(message)
      return
    }
    if (packed === 0) queueMicrotask(flush)
    pack.writeInt32LE(value, packed)
    packed += MESSAGE_BYTES
  }
  socket.on('data', (chunk: Buffer) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    for (; at + MESSAGE_BYTES <= bytes.length; at += MESSAGE_BYTES) waiting[first++]?.(bytes.readInt32LE(at))
    rest = bytes.subarray(at)
    if (first > 1024) first -= waiting.splice(0, first).length
  })
  return {
    socket,
    set: (value) =>
      new Promise((resolve) => {
        waiting.push(resolve)
        send(value)
      }),
  }
}

function jsonClient(socket: Socket): Client {
  const waiting = new Map<number, (value: number) => void>()
  let [lastId, rest] = [0, '']
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const { id, value } = JSON.parse(line) as { id: number; value: number }
      waiting.get(id)?.(value)
      waiting.delete(id)
    }
  })
  return {
    socket,
    set: (value) =>
      new Promise((resolve) => {
        waiting.set(++lastId, resolve)
        socket.write(`${JSON.stringify({ id: lastId, set: value })}\n`)
      }),
  }
}

async function attach(): Promise<Socket> {
  const fresh = binaryClient(await open(), false)
  await fresh.set(7)
  return fresh.socket
}

await serveSamples({
  set: (milliseconds) => timeCalls(milliseconds, (i) => client.set(i)),
  pipelined: (milliseconds) => timeThroughput(milliseconds, (i) => client.set(i)),
  attach: (milliseconds) => timeCalls(milliseconds, attach, (fresh) => fresh.destroy()),
})
