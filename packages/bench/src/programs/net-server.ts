/**
 * The server of node:net. Words: PATH MODE. "each": a binary message is answered by one write; "packed": those of a chunk are
 * answered one by one and leave in one write; "json": lines, and a change is told to all who watch.
 */
import { createServer, type Socket } from 'node:net'
import { MESSAGE_BYTES, onLines, onMessages } from './frames.ts'

const [path = '', mode = ''] = process.argv.slice(2)
const watchers = new Set<Socket>()
let value = 0

const answer = new Map([
  ['each', answerEach],
  ['packed', answerPacked],
  ['json', answerLines],
]).get(mode)
if (answer === undefined) throw new Error(`no mode ${mode}`)

createServer((socket) => answer(socket)).listen(path, 4096, () => process.stdout.write('ready\n'))

function answerEach(socket: Socket): void {
  onMessages(socket, (bytes, end) => {
    for (let at = 0; at < end; at += MESSAGE_BYTES) {
      value = bytes.readInt32LE(at)
      socket.write(bytes.subarray(at, at + MESSAGE_BYTES))
    }
  })
}

function answerPacked(socket: Socket): void {
  onMessages(socket, (bytes, end) => {
    const answers = Buffer.allocUnsafe(end)
    for (let at = 0; at < end; at += MESSAGE_BYTES) {
      value = bytes.readInt32LE(at)
      answers.writeInt32LE(value, at)
    }
    socket.write(answers)
  })
}

function answerLines(socket: Socket): void {
  socket.on('close', () => watchers.delete(socket))
  onLines(socket, (line) => {
    const request = JSON.parse(line) as { id: number; set?: number; watch?: true }
    if (request.watch === true) watchers.add(socket)
    if (request.set !== undefined) setAndTell(request.set)
    socket.write(`${JSON.stringify({ id: request.id, value })}\n`)
  })
}

function setAndTell(number: number): void {
  value = number
  const notice = `${JSON.stringify({ changed: value })}\n`
  for (const watcher of watchers) watcher.write(notice)
}
