/**
 * 16 bytes and back by the hub of memfd-native, by promises: what memsvc rests on, without calls, callers and limits. The
 * least that a call can cost in Node.js on this machine. Words: ROOT server|client PATH.
 */
import type { ReceivedPacket } from 'memfd-native'
import { loadNative, type NativeLibrary } from './library.ts'
import { serveSamples, timeCalls, timeThroughput, verify } from './samples.ts'

type Socket = InstanceType<NativeLibrary['HubSocket']>

const MESSAGE_BYTES = 16
const [root = '', role = '', path = ''] = process.argv.slice(2)
const { bind, connect, constants, Hub, listen, setPassRights, socket } = await loadNative(root)
const hub = Hub.current()

/** The earliest checkouts have only `send`. */
function sendLater(target: Socket, length: number): void {
  if (target.sendLater === undefined) target.send(length)
  else target.sendLater(length)
}

function serve(): void {
  const listener = socket(constants.SOCK_SEQPACKET)
  setPassRights(listener, false)
  bind(listener, path)
  listen(listener, 4096)
  hub.listen(listener, {
    onConnection: (fd) => {
      const peer: Socket = hub.attach(
        fd,
        {
          onPacket: ({ bytes, start, end }) => {
            bytes.copy(hub.outgoing, 0, start, end)
            sendLater(peer, end - start)
          },
          onEnd: () => peer.close(),
          onWritable: () => undefined,
        },
        { acceptsFileDescriptors: false },
      )
    },
    onAcceptFailed: (errno) => {
      throw new Error(`accept: ${errno}`)
    },
  })
  hub.ref()
  process.stdout.write('ready\n')
}

/** What is called in one turn leaves in one packet; answers come in the order of the calls. */
function connected(): (value: number) => Promise<number> {
  const fd = socket(constants.SOCK_SEQPACKET)
  setPassRights(fd, false)
  connect(fd, path)
  let waiting: ((value: number) => void)[] = []
  let size = 0
  const onPacket = ({ bytes, start, end }: ReceivedPacket) => {
    const answered = waiting
    waiting = []
    verify((end - start) / MESSAGE_BYTES === answered.length, 'a packet of calls is answered by one of as many')
    for (const [i, resolve] of answered.entries()) resolve(bytes.readInt32LE(start + i * MESSAGE_BYTES))
  }
  const onEnd = () => verify(false, 'the server stays')
  const peer = hub.attach(fd, { onPacket, onEnd, onWritable: () => undefined }, { acceptsFileDescriptors: false })
  const flush = () => {
    peer.send(size)
    size = 0
  }
  return (value) =>
    new Promise((resolve) => {
      waiting.push(resolve)
      if (size === 0) queueMicrotask(flush)
      hub.outgoing.writeInt32LE(value, size)
      size += MESSAGE_BYTES
    })
}

if (role === 'server') serve()
else {
  hub.ref()
  const set = connected()
  for (const number of [1, -2_147_483_648, 42]) verify((await set(number)) === number, 'the answer has the value')
  await serveSamples({
    set: (milliseconds) => timeCalls(milliseconds, set),
    pipelined: (milliseconds) => timeThroughput(milliseconds, set),
  })
}
