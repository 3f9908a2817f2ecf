/** One packet to N sockets of the hub. Words: ROOT N. The task "sends" sends them one by one, "broadcast" by one native call. */
import { loadNative, type NativeLibrary } from './library.ts'
import { serveSamples, timeSteps, verify } from './samples.ts'

const [root = '', count = ''] = process.argv.slice(2)
const { constants, Hub, recvmsg, socketpair } = await loadNative(root)
type Socket = InstanceType<NativeLibrary['HubSocket']>

/** As long as a notice of memsvc. */
const NOTICE_BYTES = 92

/** Not every checkout has it. */
interface Broadcasting {
  broadcast?(sockets: readonly Socket[], length: number): unknown
}

const hub: ReturnType<NativeLibrary['Hub']['current']> & Broadcasting = Hub.current()
const ignore = { onPacket: () => undefined, onEnd: () => undefined, onWritable: () => undefined }
const pairs = Array.from({ length: Number(count) }, () => socketpair(constants.SOCK_SEQPACKET))
const watchers = pairs.map(([, end]) => end)
const sockets = pairs.map(([end]) => hub.attach(end, ignore, { acceptsFileDescriptors: false }))

function sends(): void {
  for (const socket of sockets) socket.send(NOTICE_BYTES)
}

function broadcast(): void {
  if (hub.broadcast === undefined) throw new Error('the hub of this checkout sends to one socket at a time')
  hub.broadcast(sockets, NOTICE_BYTES)
}

/** Not timed: a watcher that does not read is full after 278 packets. */
function readAll(): void {
  for (const watcher of watchers)
    verify(recvmsg(watcher, NOTICE_BYTES).data.length === NOTICE_BYTES, 'each has its notice')
}

function timeNotices(milliseconds: number, notify: () => void) {
  notify()
  return timeSteps(milliseconds, readAll, notify)
}

await serveSamples({
  sends: (milliseconds) => timeNotices(milliseconds, sends),
  broadcast: (milliseconds) => timeNotices(milliseconds, broadcast),
})
