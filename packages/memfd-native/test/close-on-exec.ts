/** No descriptor of a busy process reaches a program that it runs: all are close-on-exec, however they came about. */
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import * as api from '../src/index.ts'
import { leakChecked, tempFolder } from '../test-support/index.ts'

const hub = api.Hub.current()
leakChecked(t)

const { SOCK_SEQPACKET } = api.constants
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

t.test('descriptors that are made, received, accepted, taken over or renumbered', async (t) => {
  using memfd = api.memfdCreate('close-on-exec', api.constants.MFD_ALLOW_SEALING)
  const owned: api.OwnedFd[] = [
    api.reopen(memfd, api.constants.O_RDONLY),
    api.dup(memfd),
    ...api.pipe(),
    api.socket(SOCK_SEQPACKET),
  ]
  const [a, b] = api.socketpair(SOCK_SEQPACKET)
  api.sendmsg(a, Buffer.from('!'), [memfd, a])
  owned.push(a, b, ...api.recvmsg(b, 1).fds)
  const path = `${tempFolder(t)}/s`
  const listening = api.socket(SOCK_SEQPACKET)
  const client = api.socket(SOCK_SEQPACKET)
  api.bind(listening, path)
  api.listen(listening)
  api.connect(client, path)
  owned.push(listening, client)
  const accepted = api.accept(listening)
  if (accepted !== null) owned.push(accepted)
  t.strictSame(inherited(), before)
  for (const fd of owned) fd.close()
})

t.test('descriptors that the hub receives, accepts and renumbers', async (t) => {
  using memfd = api.memfdCreate('close-on-exec')
  const [mine, peer] = api.socketpair(SOCK_SEQPACKET)
  const received: api.OwnedFd[] = []
  let wake: () => void = () => undefined
  const onPacket = ({ fds }: api.ReceivedPacket) => {
    received.push(...fds)
    wake()
  }
  const ignore = () => undefined
  const attached = hub.attach(mine, { onPacket, onEnd: ignore, onWritable: ignore }, { acceptsFileDescriptors: true })
  attached.renumber(200)
  const path = `${tempFolder(t)}/s`
  const listening = api.socket(SOCK_SEQPACKET)
  api.bind(listening, path)
  api.listen(listening)
  const onConnection = (fd: api.OwnedFd) => {
    received.push(fd)
    wake()
  }
  const listener = hub.listen(listening, { onConnection, onAcceptFailed: () => t.fail('accept failed') })
  using client = api.socket(SOCK_SEQPACKET)
  api.connect(client, path)
  api.sendmsg(peer, Buffer.from('!'), [memfd, memfd])
  hub.ref()
  while (received.length < 3) await new Promise<void>((resolve) => (wake = resolve))
  hub.unref()
  t.strictSame(inherited(), before)
  for (const fd of [...received, peer]) fd.close()
  attached.close()
  listener.close()
})
