/** Descriptors handed over by usocket. Words: server|client FOLDER-OF-USOCKET PATH. */

import type { EventEmitter } from 'node:events'
import { closeSync, fstatSync, openSync } from 'node:fs'
import { loadPeer } from './peer.ts'
import { serveSamples, timeCalls, verify } from './samples.ts'

interface USocket extends EventEmitter {
  read(size: number, fds: number): { data: Buffer; fds: number[] } | null
  write(message: { data: Buffer; fds?: number[] }): void
}
interface UServer extends EventEmitter {
  listen(path: string, ready: () => void): void
}
interface Library {
  readonly USocket: new (path: string, connected: () => void) => USocket
  readonly UServer: new () => UServer
}

const [role = '', folder = '', path = ''] = process.argv.slice(2)
const { UServer, USocket } = loadPeer<Library>(folder, 'usocket')

await (role === 'server' ? serve() : ask())

function serve(): void {
  const descriptor = openSync('/dev/null', 'r')
  const server = new UServer()
  server.on('connection', (socket: USocket) => {
    socket.on('readable', () => {
      while (socket.read(1, 0)?.data) socket.write({ data: Buffer.from('!'), fds: [descriptor] })
    })
    socket.read(0, 0)
  })
  server.listen(path, () => process.stdout.write('ready\n'))
}

async function ask(): Promise<void> {
  const socket = await new Promise<USocket>((resolve) => {
    const fresh: USocket = new USocket(path, () => resolve(fresh))
  })
  let arrived: (descriptor: number) => void = () => undefined
  socket.on('readable', () => {
    const [descriptor] = socket.read(1, 1)?.fds ?? []
    if (descriptor !== undefined) arrived(descriptor)
  })
  socket.read(0, 0)
  const take = () =>
    new Promise<number>((resolve) => {
      arrived = resolve
      socket.write({ data: Buffer.from('?') })
    })
  const descriptor = await take()
  verify(fstatSync(descriptor).isCharacterDevice(), 'the descriptor is the one of the server')
  closeSync(descriptor)
  const handOver = async () => closeSync(await take())
  await serveSamples({ 'hand-over': (milliseconds) => timeCalls(milliseconds, handOver) })
}
