/**
 * The server of node:net. Words: PATH MODE. "each": a binary message of 16 bytes is answered by one; "packed": what came in
 * one chunk is answered in one; "json": lines of JSON.
 */
import { createServer, type Socket } from 'node:net'

const MESSAGE_BYTES = 16
const [path = '', mode = ''] = process.argv.slice(2)
let value = 0

const answer = { each: answerEach, packed: answerChunk, json: answerLines }[mode]
if (answer === undefined) throw new Error(`no mode ${mode}`)

createServer((socket) => answer(socket)).listen(path, 4096, () => process.stdout.write('ready\n'))

function answerChunk(socket: Socket): void {
  socket.on('data', (chunk: Buffer) => {
    if (chunk.length >= 4) value = chunk.readInt32LE(chunk.length - MESSAGE_BYTES)
    socket.write(chunk)
  })
}

function answerEach(socket: Socket): void {
  let rest: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    for (; at + MESSAGE_BYTES <= bytes.length; at += MESSAGE_BYTES) {
      value = bytes.readInt32LE(at)
      socket.write(bytes.subarray(at, at + MESSAGE_BYTES))
    }
    rest = bytes.subarray(at)
  })
}

function answerLines(socket: Socket): void {
  let rest = ''
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const request = JSON.parse(line) as { id: number; set?: number }
      if (request.set !== undefined) value = request.set
      socket.write(`${JSON.stringify({ id: request.id, value })}\n`)
    }
  })
}
