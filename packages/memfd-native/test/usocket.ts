/** A stream in usocket's words: what dbus-next and others look for. */
import t, { type Test } from 'tap'
import * as native from '../src/index.ts'
import { identity, leakChecked, nodeEvents, sizedMemfd, tempFolder } from '../test-support/index.ts'

leakChecked(t)
const { constants, OwnedFd, USocket } = native

/** A USocket, and the descriptor of the other side. */
async function connected(t: Test): Promise<[native.USocket, native.OwnedFd]> {
  const path = `${tempFolder(t)}/socket`
  using listener = native.socket(constants.SOCK_STREAM)
  native.bind(listener, path)
  native.listen(listener)
  const socket = new USocket({ path })
  const peer = native.accept(listener) as native.OwnedFd
  await nodeEvents.once(socket, 'connected')
  t.teardown(async () => {
    peer.close()
    socket.destroy()
    if (!socket.closed) await nodeEvents.once(socket, 'close')
  })
  return [socket, peer]
}

const sent = (peer: native.OwnedFd, text: string, fds: readonly native.Fd[] = []) =>
  native.sendmsg(peer, Buffer.from(text), fds)

/** As dbus-next reads: a header of 2 bytes, whose last one is the length of the rest. */
function messagesOf(socket: native.USocket, count: number): Promise<string[]> {
  const messages: string[] = []
  let rest = 0
  return new Promise((resolve) => {
    socket.on('readable', () => {
      for (;;) {
        if (rest === 0) {
          const header = socket.read(2)
          if (header === null) return
          rest = Number(header.toString()[1])
        }
        const message = socket.read(rest, null)
        if (message === null) return
        rest = 0
        messages.push(`${message.data} ${message.fds.length}`)
        for (const fd of message.fds) OwnedFd.adopt(fd).close()
        if (messages.length === count) resolve(messages)
      }
    })
  })
}

t.test('each message has its own descriptors, however many came before it was read', async (t) => {
  const [socket, peer] = await connected(t)
  sent(peer, '.3one')
  sent(peer, '.3two', [peer, peer])
  sent(peer, '.4none')
  sent(peer, '.5three', [peer])
  sent(peer, '.3')
  const all = messagesOf(socket, 5)
  sent(peer, 'e')
  await new Promise(setImmediate)
  sent(peer, 'n')
  await new Promise(setImmediate)
  sent(peer, 'd')
  t.same(await all, ['one 0', 'two 2', 'none 0', 'three 1', 'end 0'])
})

t.test('a write may have descriptors, which are borrowed until it returns', async (t) => {
  const [socket, peer] = await connected(t)
  const memfd = sizedMemfd()
  const wanted = identity(memfd)
  const chunk = { data: Buffer.from('with'), fds: [memfd.fd] }
  const written = new Promise((resolve) => socket.write({ ...chunk, callback: resolve }))
  socket.write(chunk)
  memfd.close()
  t.match(await written, chunk)
  const { data, fds } = native.recvmsg(peer, 4)
  t.same([data.toString(), ...fds.map(identity)], ['with', wanted])
  const again = native.recvmsg(peer, 100)
  t.same([again.data.toString(), ...again.fds.map(identity)], ['with', wanted])
  for (const fd of [...fds, ...again.fds]) fd.close()
  socket.write('plain ')
  socket.end({ data: 'last', fds: [peer] })
  await nodeEvents.once(socket, 'finish')
  const last = native.recvmsg(peer, 100)
  t.same([last.data.toString(), last.fds.length], ['plain last', 1])
  for (const fd of last.fds) fd.close()
})

t.test('a loop over data gets what there is, and the end ends both directions', async (t) => {
  const [socket, peer] = await connected(t)
  const text = 'x'.repeat(20_000)
  sent(peer, text)
  native.shutdown(peer, native.SHUT_WR)
  const chunks: Buffer[] = []
  socket.on('data', (data: Buffer) => chunks.push(data))
  await nodeEvents.once(socket, 'close')
  t.equal(Buffer.concat(chunks).toString(), text)
  t.ok(chunks.length < 10, `${chunks.length} chunks`)
  t.equal(native.recvmsg(peer, 10).data.length, 0)
})

t.test('an operation that fails gives an error, and leaves no descriptor behind', async (t) => {
  const nowhere = new USocket(`${tempFolder(t)}/nowhere`)
  t.match(await nodeEvents.once(nowhere, 'error'), [{ code: 'ENOENT', syscall: 'connect' }])
  const alone = new USocket()
  const failed = nodeEvents.once(alone, 'error')
  alone.write({ data: 'x', fds: [1] })
  t.match(await failed, [{ code: 'ENOTCONN' }])
  const [socket, peer] = await connected(t)
  for (const chunk of [{ data: 1 }, { fds: [peer] }, { data: 'x', fds: [-1] }, 5])
    t.throws(() => socket.write(chunk), { code: /^(ERR_INVALID_ARG_TYPE|EBADF)$/ })
  t.throws(() => new USocket({}), { code: 'ERR_INVALID_ARG_TYPE' })
  sent(peer, 'never asked for', [peer])
  await nodeEvents.once(
    socket.on('readable', () => undefined),
    'readable',
  )
  socket.cork()
  socket.write({ data: 'never sent', fds: [peer] })
  socket.destroy()
  await nodeEvents.once(socket, 'close')
  const gone = new Promise((resolve) => socket.write({ data: 'too late', fds: [peer] }, resolve))
  t.match(await gone, { code: 'ERR_STREAM_DESTROYED' })
})

t.test('a socket that is connected already is taken over', async (t) => {
  const [a, b] = native.socketpair(constants.SOCK_STREAM)
  const socket = new USocket()
  const told = new Promise<void>((resolve) => socket.connect({ fd: a.release() }, resolve))
  await told
  sent(b, 'abc', [b])
  await nodeEvents.once(socket, 'readable')
  t.equal(socket.read(3, 2), null, 'not as many descriptors')
  const message = socket.read(3, 1) as native.USocketMessage
  t.same([message.data?.toString(), message.fds.length], ['abc', 1])
  for (const fd of message.fds) OwnedFd.adopt(fd).close()
  socket.destroy()
  b.close()
  await nodeEvents.once(socket, 'close')
})
