/** The client of node:net, by promises. Words: PATH MODE PAUSE-IN-MS, the mode as the server's. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { MESSAGE_BYTES, onLines, onMessages } from './frames.ts'
import { setInIntervals } from './notices.ts'
import { serveSamples, timeCalls, timeThroughput, verify } from './samples.ts'

/** Sets a value and answers the one that the server has then. */
type SetValue = (value: number) => Promise<number>

const MAX_PACKED = 64
const [path = '', mode = '', pause = '1'] = process.argv.slice(2)

const make = new Map([
  ['each', binaryClient],
  ['packed', packingClient],
  ['json', jsonClient],
]).get(mode)
if (make === undefined) throw new Error(`no mode ${mode}`)
const set = make(await open())
for (const number of [1, -2_147_483_648, 42]) verify((await set(number)) === number, 'the answer has the value')

async function open(): Promise<Socket> {
  const socket = connect(path)
  await once(socket, 'connect')
  return socket
}

function binaryClient(socket: Socket): SetValue {
  return binaryCalls(socket, (value) => {
    const message = Buffer.allocUnsafe(MESSAGE_BYTES)
    message.writeInt32LE(value, 0)
    socket.write(message)
  })
}

/** What is called in one turn leaves in one write. */
function packingClient(socket: Socket): SetValue {
  let [pack, size] = [Buffer.alloc(MESSAGE_BYTES * MAX_PACKED), 0]
  const flush = () => {
    socket.write(pack.subarray(0, size))
    ;[pack, size] = [Buffer.allocUnsafe(MESSAGE_BYTES * MAX_PACKED), 0]
  }
  return binaryCalls(socket, (value) => {
    if (size === 0) queueMicrotask(flush)
    pack.writeInt32LE(value, size)
    size += MESSAGE_BYTES
  })
}

/** Answers come in the order of the calls. */
function binaryCalls(socket: Socket, send: (value: number) => void): SetValue {
  const waiting: ((value: number) => void)[] = []
  onMessages(socket, (bytes, end) => {
    const answered = waiting.splice(0, end / MESSAGE_BYTES)
    for (const [i, resolve] of answered.entries()) resolve(bytes.readInt32LE(i * MESSAGE_BYTES))
  })
  return (value) =>
    new Promise((resolve) => {
      waiting.push(resolve)
      send(value)
    })
}

function jsonClient(socket: Socket): SetValue {
  const waiting = new Map<number, (value: number) => void>()
  let lastId = 0
  onLines(socket, (line) => {
    const { id, value } = JSON.parse(line) as { id: number; value: number }
    waiting.get(id)?.(value)
    waiting.delete(id)
  })
  return (value) =>
    new Promise((resolve) => {
      waiting.set(++lastId, resolve)
      socket.write(`${JSON.stringify({ id: lastId, set: value })}\n`)
    })
}

async function attach(): Promise<Socket> {
  const socket = await open()
  await binaryClient(socket)(7)
  return socket
}

await serveSamples({
  set: (milliseconds) => timeCalls(milliseconds, set),
  changes: (milliseconds) => setInIntervals(milliseconds, Number(pause), set),
  pipelined: (milliseconds) => timeThroughput(milliseconds, set),
  attach: (milliseconds) => timeCalls(milliseconds, attach, (socket) => socket.destroy()),
})
