/**
 * Whoever handles a packet reaches the whole buffer that it lies in, and can try to take it away: none of the ways to do that
 * may leave native code with memory that is no longer its own.
 */
import t from 'tap'
import { runFixture, runScript } from '../test-support/index.ts'

const HANDLES = `
  const { Hub, constants, recvmsg, sendmsg, socketpair } = native
  const hub = Hub.current()
  const [mine, peer] = socketpair(constants.SOCK_SEQPACKET)
  const wait = () => new Promise((resolve) => (handler.wake = resolve))
  const handler = { wake() {}, onEnd() {}, onWritable() {}, onPacket({ bytes, start, end }) { this.wake([bytes, start, end]) } }
  const socket = hub.attach(mine, handler, { acceptsFileDescriptors: false })
  hub.ref()
  sendmsg(peer, Buffer.from('one'))
  const [bytes] = await wait()
  async function take(buffer) {
    for (const way of [
      () => structuredClone(buffer, { transfer: [buffer] }),
      () => new MessageChannel().port1.postMessage(buffer, [buffer]),
      () => buffer.transfer(),
      () => buffer.transfer(8),
      () => buffer.transferToFixedLength(),
      () => ArrayBuffer.prototype.transfer.call(buffer),
      () => buffer.resize(0),
      () => buffer.grow(2 ** 24),
      () => new ReadableStream({ type: 'bytes', pull: (controller) => controller.close() })
        .getReader({ mode: 'byob' }).read(new Uint8Array(buffer)),
    ]) await (async () => way())().catch(() => undefined)
  }
  await take(bytes.buffer)
  await take(hub.outgoing.buffer)
  for (let i = 0; i < 3; i++) {
    globalThis.gc()
    await new Promise(setImmediate)
    new Array(1e5).fill().map((_, i) => new Uint8Array(1000).fill(i))
  }
  for (let i = 0; i < 100; i++) {
    sendmsg(peer, Buffer.alloc(60_000, 'x'))
    const [bytes, start, end] = await wait()
    if (bytes.toString('latin1', start, end) !== 'x'.repeat(60_000)) throw new Error('not what was sent')
  }
  hub.outgoing.write('answer')
  socket.send(6)
  console.log(recvmsg(peer, 100).data.toString())
  socket.close()
  hub.unref()`

t.test('a hub whose buffers are transferred goes on as if nothing had been', async (t) => {
  const { status, signal, output, errors } = runScript(`import { ReadableStream } from 'node:stream/web'\n${HANDLES}`, [
    '--expose-gc',
  ])
  t.same({ status, signal, output, errors }, { status: 0, signal: null, output: 'answer\n', errors: '' })
})

t.test('mapped memory that has moved to another thread outlives the one that mapped it', async (t) => {
  const { status, signal, output, errors } = runFixture('moves-mapped-memory')
  t.same({ status, signal, output, errors }, { status: 0, signal: null, output: '42 and 4096 bytes left', errors: '' })
})
