/** Messages of a stream: binary ones of 16 bytes, the first four the value, and lines. What node:net leaves to its users. */
import type { Socket } from 'node:net'

export const MESSAGE_BYTES = 16

/** All whole messages of a chunk at once: `bytes` up to `end`. */
export function onMessages(socket: Socket, take: (bytes: Buffer, end: number) => void): void {
  let rest: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const end = bytes.length - (bytes.length % MESSAGE_BYTES)
    take(bytes, end)
    rest = bytes.subarray(end)
  })
}

export function onLines(socket: Socket, take: (line: string) => void): void {
  let rest = ''
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) take(line)
  })
}
