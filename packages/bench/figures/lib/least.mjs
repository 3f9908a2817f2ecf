/**
 * The least that a compare-and-set can cost in Node.js, to compare with: one over a bare socket, and the way from one process to another and back. It is
 * HTTP/2 for this measurement only: one call at a time, and nothing that can go wrong.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'

const FRAME_BYTES = 9
/** Of gRPC: whether it is compressed, and its length. */
const MESSAGE_HEAD_BYTES = 5
const TYPES = { DATA: 0, HEADERS: 1, SETTINGS: 4, PING: 6, WINDOW: 8 }
/** Of an acknowledgement, or of the last frame of a stream. */
const LAST = 1
const WHOLE_HEADERS = 4
/** HEADER_TABLE_SIZE 0 and INITIAL_WINDOW_SIZE as large as it may be: no header refers to another call's, and no answer waits. */
const SETTINGS = Buffer.from('00010000000000047fffffff', 'hex')
const WINDOW = Buffer.from('7fff0000', 'hex')
const ECHO = fileURLToPath(new URL('../programs/echo.mjs', import.meta.url))

/** @returns asks one call with this message, and resolves to the message of the answer */
export function bareCalls(scope, endpoint, path) {
  const { hostname, port, host } = new URL(endpoint)
  const socket = connect({ host: hostname, port: Number(port), noDelay: true })
  scope.teardown(() => socket.destroy())
  const start = [frame(TYPES.SETTINGS, 0, 0, SETTINGS), frame(TYPES.WINDOW, 0, 0, WINDOW)]
  socket.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), ...start]))
  const headers = headersOf({ ':path': path, ':authority': host, 'content-type': 'application/grpc', te: 'trailers' })
  let stream = -1
  // As the replicator: the headers of the next call are sent when one is over.
  const begin = () => {
    stream += 2
    socket.write(frame(TYPES.HEADERS, WHOLE_HEADERS, stream, headers))
  }
  begin()
  let message = null
  let told = null
  readFrames(socket, (type, flags, body) => {
    if (type === TYPES.DATA) message = body.subarray(MESSAGE_HEAD_BYTES)
    else if (type === TYPES.HEADERS && (flags & LAST) !== 0) {
      told(message)
      setImmediate(begin)
    } else if ((type === TYPES.SETTINGS || type === TYPES.PING) && (flags & LAST) === 0)
      socket.write(frame(type, LAST, 0, type === TYPES.PING ? body : Buffer.alloc(0)))
  })
  return (asked) => {
    const head = Buffer.alloc(MESSAGE_HEAD_BYTES)
    head.writeUInt32BE(asked.length, 1)
    socket.write(frame(TYPES.DATA, LAST, stream, Buffer.concat([head, asked])))
    return new Promise((resolve) => {
      told = resolve
    })
  }
}

/** @returns sends as much as a change has to another process, and resolves when it is back */
export async function echoes(scope) {
  const path = `${tmpdir()}/memsvc-echo-${process.pid}`
  const child = spawn(process.execPath, [ECHO, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  scope.teardown(() => {
    child.kill()
    rmSync(path, { force: true })
  })
  await once(child.stdout, 'data')
  const socket = connect(path)
  scope.teardown(() => socket.destroy())
  const change = Buffer.alloc(100)
  return () =>
    new Promise((resolve) => {
      socket.once('data', resolve)
      socket.write(change)
    })
}

function readFrames(socket, take) {
  let rest = Buffer.alloc(0)
  socket.on('data', (bytes) => {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes])
    while (rest.length >= FRAME_BYTES && rest.length >= FRAME_BYTES + rest.readUIntBE(0, 3)) {
      const end = FRAME_BYTES + rest.readUIntBE(0, 3)
      take(rest[3], rest[4], rest.subarray(FRAME_BYTES, end))
      rest = rest.subarray(end)
    }
  })
}

function frame(type, flags, stream, body) {
  const head = Buffer.alloc(FRAME_BYTES)
  head.writeUIntBE(body.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, body])
}

/** HPACK: POST and http by number, the others by name. */
function headersOf(others) {
  const texts = Object.entries(others).flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)])
  return Buffer.concat([Buffer.from([0x83, 0x86]), ...texts])
}

function text(of) {
  return Buffer.concat([Buffer.from([of.length]), Buffer.from(of)])
}
