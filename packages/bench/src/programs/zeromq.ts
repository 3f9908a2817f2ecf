/** Request and reply by ZeroMQ. Words: server|client FOLDER-OF-ZEROMQ ADDRESS. */
import { loadPeer } from './peer.ts'
import { serveSamples, timeCalls, verify } from './samples.ts'

interface Socket {
  bind(address: string): Promise<void>
  connect(address: string): void
  send(message: Buffer): Promise<void>
  receive(): Promise<[Buffer]>
}

const [role = '', folder = '', address = ''] = process.argv.slice(2)
const { Reply, Request } = loadPeer<{ Reply: new () => Socket; Request: new () => Socket }>(folder, 'zeromq')

await (role === 'server' ? serve() : ask())

async function serve(): Promise<never> {
  const socket = new Reply()
  await socket.bind(address)
  process.stdout.write('ready\n')
  for (;;) {
    const [message] = await socket.receive()
    await socket.send(message)
  }
}

async function ask(): Promise<void> {
  const socket = new Request()
  socket.connect(address)
  const set = async (value: number) => {
    const message = Buffer.alloc(16)
    message.writeInt32LE(value, 0)
    await socket.send(message)
    const [answer] = await socket.receive()
    return answer.readInt32LE(0)
  }
  verify((await set(42)) === 42, 'the answer has the value')
  await serveSamples({ set: (milliseconds) => timeCalls(milliseconds, set) })
}
