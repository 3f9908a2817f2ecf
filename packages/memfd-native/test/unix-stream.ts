/** A Unix stream socket as a Duplex that passes descriptors. */
import { once } from 'node:events'
import { closeSync, fstatSync } from 'node:fs'
import t, { type Test } from 'tap'
import * as native from '../src/index.ts'
import { leakChecked, runFixture, sizedMemfd } from '../test-support/index.ts'

leakChecked(t)
const { constants, OwnedFd, unixStream } = native

function pair(t: Test): [native.UnixStream, native.UnixStream] {
  const [a, b] = native.socketpair(constants.SOCK_STREAM)
  const streams: [native.UnixStream, native.UnixStream] = [unixStream(a), unixStream(b)]
  t.teardown(() => {
    for (const stream of streams) stream.destroy()
  })
  return streams
}

/** Until it ends; it is not destroyed then, as by `toArray`. */
async function textOf(stream: native.UnixStream): Promise<string> {
  let text = ''
  stream.on('data', (data: Buffer) => {
    text += data.toString()
  })
  await once(stream, 'end')
  return text
}

const codeOf = (error: unknown) => (error as { code?: unknown }).code
const inode = (fd: number) => fstatSync(fd).ino

t.test('bytes go both ways, and each direction ends by itself', async (t) => {
  const [a, b] = pair(t)
  a.end('hello')
  t.equal(await textOf(b), 'hello')
  b.end('and back')
  t.equal(await textOf(a), 'and back')
})

t.test('descriptors come with the bytes that they were written with, in order', async (t) => {
  const [a, b] = pair(t)
  const memfds = [sizedMemfd(1), sizedMemfd(2), sizedMemfd(3)]
  const wanted = memfds.map(({ fd }) => inode(fd))
  const events: (string | number)[] = []
  b.on('fds', (fds: number[]) => {
    for (const fd of fds) {
      events.push(wanted.indexOf(inode(fd)))
      closeSync(fd)
    }
  })
  b.on('data', (data: Buffer) => events.push(data.toString()))
  a.write('plain')
  a.writeWithFds(Buffer.from('two'), memfds.slice(0, 2))
  a.writeWithFds(new Uint8Array(Buffer.from('one')), [memfds[2] as native.OwnedFd])
  for (const memfd of memfds) memfd.close() // borrowed: the stream has its own
  a.end()
  await once(b, 'end')
  t.same(
    events.filter((event) => typeof event === 'number'),
    [0, 1, 2],
  )
  t.equal(events.filter((event) => typeof event === 'string').join(''), 'plaintwoone')
  const withTwo = events.findIndex((event) => typeof event === 'string' && event.includes('t'))
  t.ok(events.indexOf(0) < withTwo, 'before their first byte')
})

t.test('a peer that does not read holds the writer up, and loses nothing', async (t) => {
  const [a, b] = pair(t)
  const memfd = sizedMemfd(1)
  const chunk = Buffer.alloc(50_000, 'x')
  let count = 0
  while (a.writeWithFds(chunk, [memfd]) || count < 20) count += 1
  memfd.close()
  t.equal(a.writableNeedDrain, true)
  let fds = 0
  let bytes = 0
  b.on('fds', (numbers: number[]) => {
    fds += numbers.length
    for (const fd of numbers) closeSync(fd)
  })
  b.on('data', (data: Buffer) => {
    bytes += data.length
  })
  a.end()
  await once(b, 'end')
  t.same([bytes, fds], [(count + 1) * chunk.length, count + 1])
})

t.test('descriptors that nobody listens for are closed, and those that were not sent', async (t) => {
  const [a, b] = pair(t)
  const memfd = sizedMemfd(1)
  a.writeWithFds(Buffer.from('x'), [memfd])
  await once(b, 'readable')
  t.equal(b.read().toString(), 'x')
  a.cork()
  a.writeWithFds(Buffer.from('never'), [memfd])
  memfd.close()
  a.destroy()
  await once(a, 'close')
})

t.test('bytes that are written twice, plainly and with descriptors, keep each its own', async (t) => {
  const [a, b] = pair(t)
  const memfd = sizedMemfd(1)
  const bytes = Buffer.from('same')
  const events: string[] = []
  a.cork()
  a.write(bytes)
  a.writeWithFds(bytes, [memfd])
  a.write(bytes)
  memfd.close()
  a.uncork()
  b.on('fds', (fds: number[]) => {
    events.push(`fds ${fds.length}`)
    for (const fd of fds) closeSync(fd)
  })
  // One by one, as the other side of the kernel has them: a read ends with a message that has descriptors, not before it.
  a.end()
  b.on('data', (data: Buffer) => events.push(data.toString()))
  await once(b, 'end')
  t.same(events, ['fds 1', 'samesame', 'same'])
})

t.test('a write that is refused keeps no descriptors, and its callback says why', async (t) => {
  const [a, b] = pair(t)
  const memfd = sizedMemfd(1)
  const failed = once(a, 'error')
  a.end()
  const told = new Promise((resolve) => a.writeWithFds(Buffer.from('x'), [memfd], resolve))
  t.match(await told, { code: 'ERR_STREAM_WRITE_AFTER_END' })
  await failed
  b.destroy()
  t.equal(
    await new Promise<unknown>((resolve) => b.writeWithFds(Buffer.from('x'), [memfd], resolve)).then(codeOf),
    'ERR_STREAM_DESTROYED',
  )
  memfd.close()
})

t.test('a stream lets the process end while it waits, where it is told to', (t) => {
  t.equal(runFixture('waits-on-a-stream').output, 'ended by itself')
  t.end()
})

t.test('descriptors that find no room end the stream with an error', (t) => {
  t.equal(
    runFixture('streams-with-a-full-table').output,
    'EMFILE recvmsg: EMFILE, descriptors that arrived are lost: no number is free',
  )
  t.end()
})

t.test('an error of a listener is that of the program, and no end of the stream', (t) => {
  t.equal(runFixture('throws-in-a-stream').output, 'hellouncaught: of a listener\n')
  t.end()
})

t.test('a peer that is gone is an end to read, and an error to write', async (t) => {
  const [a, b] = pair(t)
  b.destroy()
  await once(b, 'close')
  t.equal(await textOf(a), '')
  const failed = once(a, 'error')
  a.write('x')
  t.match(await failed, [{ code: 'EPIPE', syscall: 'sendmsg' }])
})

t.test('values that cannot be sent are refused at once', async (t) => {
  const [a] = pair(t)
  const memfd = sizedMemfd(1)
  for (const [bytes, fds, code] of [
    [Buffer.alloc(0), [memfd], 'ERR_OUT_OF_RANGE'],
    [Buffer.from('x'), new Array(254).fill(memfd), 'ERR_OUT_OF_RANGE'],
    [Buffer.from('x'), memfd, 'ERR_INVALID_ARG_TYPE'],
    ['x', [memfd], 'ERR_INVALID_ARG_TYPE'],
    [new DataView(new ArrayBuffer(8)), [memfd], 'ERR_INVALID_ARG_TYPE'],
    [new Uint16Array(8), [memfd], 'ERR_INVALID_ARG_TYPE'],
    [Buffer.from('x'), [-1], 'EBADF'],
  ] as unknown as [Uint8Array, native.Fd[], string][]) {
    t.throws(() => a.writeWithFds(bytes, fds), { code })
  }
  memfd.close()
  t.throws(() => unixStream(1 as unknown as native.OwnedFd), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => native.connectUnixStream('/nowhere/at/all'), { code: 'ENOENT' })
})

t.test('a listener of our own is connected to by its path', async (t) => {
  const listener = native.socket(constants.SOCK_STREAM)
  const path = `\0memfd-native-stream-${process.pid}`
  native.bind(listener, path)
  native.listen(listener)
  const client = native.connectUnixStream(path)
  const connected = once(client, 'connect')
  const server = unixStream(native.accept(listener) as native.OwnedFd)
  await connected
  t.equal(client.setNoDelay(), client)
  client.end('by its path')
  t.equal(await textOf(server), 'by its path')
  server.end()
  for (const stream of [client, server]) stream.destroy()
  await Promise.all([once(client, 'close'), once(server, 'close')])
  listener.close()
  t.equal(OwnedFd.adopt.length, 1)
})

t.test('descriptors that the peer did not take are closed with the stream', async (t) => {
  const [a, b] = native.socketpair(constants.SOCK_STREAM)
  t.throws(
    () => {
      for (;;) native.sendmsg(a, Buffer.alloc(65_536), [], constants.MSG_DONTWAIT)
    },
    { code: 'EAGAIN' },
  )
  const stream = unixStream(a)
  using memfd = sizedMemfd()
  stream.writeWithFds(Buffer.from('x'), [memfd])
  stream.destroy()
  b.close()
  t.equal(stream.destroyed, true)
})
