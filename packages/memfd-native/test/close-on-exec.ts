/** No descriptor of a busy process reaches a program that it runs: all are close-on-exec, however they came about. */
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import {
  accept,
  bind,
  connect,
  constants,
  dup,
  Hub,
  listen,
  memfdCreate,
  type OwnedFd,
  pipe,
  type ReceivedPacket,
  recvmsg,
  reopen,
  sendmsg,
  socket,
  socketpair,
} from '../src/index.ts'
import { leakChecked } from '../test-support/leaks.ts'
import { tempFolder } from '../test-support/temp-folder.ts'

const hub = Hub.current()
leakChecked(t)

const { SOCK_SEQPACKET } = constants
const O_CLOEXEC = 0o2000000

/** The numbers above stderr that a program run now would inherit. */
function inherited(): number[] {
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => fd > 2 && isInherited(fd))
}

function isInherited(fd: number): boolean {
  try {
    const flags = /^flags:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? ''
    return (Number.parseInt(flags, 8) & O_CLOEXEC) === 0
  } catch {
    return false // of the listing itself: closed by now
  }
}

const before = inherited() // the test runner's own

t.test('what is made, received, accepted, taken over or given another number', async (t) => {
  using memfd = memfdCreate('close-on-exec', constants.MFD_ALLOW_SEALING)
  const owned: OwnedFd[] = [reopen(memfd, constants.O_RDONLY), dup(memfd), ...pipe(), socket(SOCK_SEQPACKET)]
  const [a, b] = socketpair(SOCK_SEQPACKET)
  sendmsg(a, Buffer.from('!'), [memfd, a])
  owned.push(a, b, ...recvmsg(b, 1).fds)
  const path = `${tempFolder(t)}/s`
  const listening = socket(SOCK_SEQPACKET)
  const client = socket(SOCK_SEQPACKET)
  bind(listening, path)
  listen(listening)
  connect(client, path)
  owned.push(listening, client)
  const accepted = accept(listening)
  if (accepted !== null) owned.push(accepted)
  t.strictSame(inherited(), before)
  for (const fd of owned) fd.close()
})

t.test('what the hub receives, accepts and renumbers', async (t) => {
  using memfd = memfdCreate('close-on-exec')
  const [mine, peer] = socketpair(SOCK_SEQPACKET)
  const received: OwnedFd[] = []
  let wake: () => void = () => undefined
  const onPacket = ({ fds }: ReceivedPacket) => {
    received.push(...fds)
    wake()
  }
  const ignore = () => undefined
  const attached = hub.attach(mine, { onPacket, onEnd: ignore, onWritable: ignore }, { acceptsFileDescriptors: true })
  attached.renumber(200)
  const path = `${tempFolder(t)}/s`
  const listening = socket(SOCK_SEQPACKET)
  bind(listening, path)
  listen(listening)
  const onConnection = (fd: OwnedFd) => {
    received.push(fd)
    wake()
  }
  const listener = hub.listen(listening, { onConnection, onAcceptFailed: () => t.fail('accept failed') })
  using client = socket(SOCK_SEQPACKET)
  connect(client, path)
  sendmsg(peer, Buffer.from('!'), [memfd, memfd])
  hub.ref()
  while (received.length < 3) await new Promise<void>((resolve) => (wake = resolve))
  hub.unref()
  t.strictSame(inherited(), before)
  for (const fd of [...received, peer]) fd.close()
  attached.close()
  listener.close()
})
