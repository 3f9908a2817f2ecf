import { ParcelFileDescriptor } from '@memsvc/shared'
import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import t, { type Test } from 'tap'
import { formatValue, printByStream, printDirectly } from '../../src/commands/output.ts'
import { nodeFs, nodeNet, ReaderGone } from '../../test-support/index.ts'

watchdog(t)
leakChecked(t)

/** A pipe whose writing end does not block, and which is full. Who reads it reads `pipeBytes` first. */
function fullPipe(t: Test): { source: ParcelFileDescriptor; sink: number; pipeBytes: number } {
  const [source, blockingSink] = ParcelFileDescriptor.createPipe()
  const sink = nodeFs.openSync(
    `/proc/self/fd/${blockingSink.getFd()}`,
    nodeFs.constants.O_WRONLY | nodeFs.constants.O_NONBLOCK,
  )
  blockingSink.close()
  t.teardown(() => source.close())
  return { source, sink, pipeBytes: fill(sink) }
}

function fill(sink: number): number {
  for (let bytes = 0; ; ) {
    try {
      bytes += nodeFs.writeSync(sink, Buffer.alloc(4096))
    } catch {
      return bytes
    }
  }
}

function readAll(source: ParcelFileDescriptor): string {
  const pieces: Buffer[] = []
  for (;;) {
    const piece = Buffer.alloc(65_536)
    const bytes = nodeFs.readSync(source.getFd(), piece)
    if (bytes === 0) return Buffer.concat(pieces).toString()
    pieces.push(piece.subarray(0, bytes))
  }
}

function unused(): never {
  throw new Error('the stream was opened')
}

t.test('a line goes straight to the descriptor', async (t) => {
  const [source, sink] = ParcelFileDescriptor.createPipe()
  const print = printDirectly(sink.getFd(), unused)
  await print('42')
  await print('größer')
  sink.close()
  t.equal(readAll(source), '42\ngrößer\n')
  source.close()
})

t.test('a line waits for a slow reader of a descriptor that does not block', async (t) => {
  const { source, sink, pipeBytes } = fullPipe(t)
  const stream = new nodeNet.Socket({ fd: sink, readable: false, writable: true })
  const printed = printDirectly(sink, () => stream)('42')
  nodeFs.readSync(source.getFd(), Buffer.alloc(pipeBytes))
  await printed
  stream.destroy()
  t.equal(readAll(source), '42\n')
})

t.test('a stream takes lines, and waits for a slow reader too', async (t) => {
  const { source, sink, pipeBytes } = fullPipe(t)
  const stream = new nodeNet.Socket({ fd: sink, readable: false, writable: true })
  const print = printByStream(stream)
  const printed = Promise.all([print('1'), print('2')])
  nodeFs.readSync(source.getFd(), Buffer.alloc(pipeBytes))
  await printed
  stream.destroy()
  t.equal(readAll(source), '1\n2\n')
})

t.test('a reader that has gone is told apart from other errors', async (t) => {
  const [source, sink] = ParcelFileDescriptor.createPipe()
  source.close()
  t.type(await printDirectly(sink.getFd(), unused)('42').catch((error) => error), ReaderGone, 'directly')
  const stream = new nodeNet.Socket({ fd: sink.detachFd(), readable: false, writable: true })
  t.type(await printByStream(stream)('42').catch((error) => error), ReaderGone, 'by a stream')
})

t.test('a full disk is a failure that says so', async (t) => {
  const full = nodeFs.openSync('/dev/full', 'w')
  await t.rejects(printDirectly(full, unused)('42'), { exitCode: 1, message: /^cannot write to stdout: ENOSPC/ })
  nodeFs.closeSync(full)
})

t.test('a value is a number, or an object of JSON', async (t) => {
  t.equal(formatValue(false, 'name', -2147483648), '-2147483648')
  t.equal(formatValue(true, 'a/b', 7), '{"name":"a/b","value":7}')
})
