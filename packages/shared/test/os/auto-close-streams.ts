import t, { type Test } from 'tap'
import { AutoCloseInputStream, AutoCloseOutputStream } from '../../src/os/auto-close-streams.ts'
import { type DescriptorPair, ParcelFileDescriptor } from '../../src/os/parcel-file-descriptor.ts'
import { leakChecked, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

/** Streams over the two ends, closed with the test. */
function streams(t: Test, [source, sink]: DescriptorPair) {
  t.teardown(() => {
    source.close()
    sink.close()
  })
  return { source, sink, input: new AutoCloseInputStream(source), output: new AutoCloseOutputStream(sink) }
}

t.test('bytes go through, singly, whole and in part', async (t) => {
  const { input, output } = streams(t, ParcelFileDescriptor.createPipe())
  output.write(0xff)
  output.write(0x100 | 7)
  output.write(-1)
  t.same([input.read(), input.read(), input.read()], [255, 7, 255])

  output.write(Buffer.from('hello'))
  output.write(Buffer.from('hello'), 4)
  output.write(Buffer.from('hello'), 1, 2)
  output.write(Buffer.from('hello'), 5, 0)
  const buffer = Buffer.alloc(10, '.')
  t.equal(input.read(buffer, 1, 3), 3)
  t.equal(buffer.toString(), '.hel......')
  t.equal(input.read(buffer), 5)
  t.equal(buffer.toString(), 'looel.....')
})

t.test('the end of the data is -1, however it is read; no bytes wanted are none read', async (t) => {
  const { input, output } = streams(t, ParcelFileDescriptor.createPipe())
  output.close()
  t.equal(input.read(), -1)
  t.equal(input.read(Buffer.alloc(4)), -1)
  t.equal(input.read(Buffer.alloc(4), 2, 1), -1)
  t.equal(input.read(Buffer.alloc(4), 4, 0), 0)
})

t.test('reading moves the offset of the descriptor', async (t) => {
  const file = ParcelFileDescriptor.fromData(Buffer.from('abcdef'), 'streams')
  t.teardown(() => file?.close())
  if (file === null) throw new Error('data in, descriptor out')
  const input = new AutoCloseInputStream(file)
  t.equal(input.read(), 0x61)
  file.seekTo(4)
  t.equal(input.read(), 0x65)
})

t.test('closing a stream closes its descriptor, once', async (t) => {
  const { source, sink, input, output } = streams(t, ParcelFileDescriptor.createPipe())
  input.close()
  output.close()
  input.close()
  t.throws(() => source.getFd(), { code: 'ERR_CLOSED' })
  t.throws(() => sink.getFd(), { code: 'ERR_CLOSED' })
})

t.test('using closes it', async (t) => {
  const { source, sink } = streams(t, ParcelFileDescriptor.createPipe())
  {
    using input = new AutoCloseInputStream(source)
    using output = new AutoCloseOutputStream(sink)
    output.write(1)
    t.equal(input.read(), 1)
  }
  t.equal(source.getFileDescriptor().valid(), false)
  t.equal(sink.getFileDescriptor().valid(), false)
})

t.test('a closed descriptor cannot be read or written, not even no bytes', async (t) => {
  const { source, sink, input, output } = streams(t, ParcelFileDescriptor.createPipe())
  source.close()
  sink.close()
  for (const use of [
    () => input.read(),
    () => input.read(Buffer.alloc(1)),
    () => input.read(Buffer.alloc(0)),
    () => output.write(1),
    () => output.write(Buffer.alloc(1)),
    () => output.write(Buffer.alloc(0)),
  ]) {
    t.throws(use, { code: 'ERR_CLOSED' })
  }
})

t.test('the end of a reliable pipe is where its error shows, for every way to read', async (t) => {
  for (const read of [
    (input: AutoCloseInputStream) => input.read(),
    (input: AutoCloseInputStream) => input.read(Buffer.alloc(3)),
  ]) {
    const { sink, input, output } = streams(t, ParcelFileDescriptor.createReliablePipe())
    output.write(1)
    sink.closeWithError('OMG MUFFINS')
    t.equal(input.read(), 1, 'what was written before is still there')
    t.throws(() => read(input), { code: 'ERR_REMOTE_ERROR', message: 'Remote error: OMG MUFFINS' })
    t.throws(() => read(input), { code: 'ERR_REMOTE_ERROR' })
  }
})

t.test('the end of a reliable pipe that was closed cleanly is an end', async (t) => {
  const { input, output } = streams(t, ParcelFileDescriptor.createReliablePipe())
  output.close()
  t.equal(input.read(), -1)
})

t.test('a large write arrives whole, in as many reads as it takes', async (t) => {
  const { source, output } = streams(t, ParcelFileDescriptor.createSocketPair())
  // The sockets block and nobody else reads: more than this and the write would wait for ever.
  const sent = Buffer.alloc(100_000, 'memsvc')
  output.write(sent)
  const input = new AutoCloseInputStream(source)
  const got = Buffer.alloc(sent.length)
  for (let read = 0; read < got.length; ) read += input.read(got, read)
  t.ok(got.equals(sent))
})

t.test('writing to nobody is EPIPE, reading the writing end EBADF', async (t) => {
  const { source, sink, output } = streams(t, ParcelFileDescriptor.createPipe())
  source.close()
  t.throws(() => output.write(1), { code: 'EPIPE' })
  t.throws(() => new AutoCloseInputStream(sink).read(), { code: 'EBADF' })
})

t.test('ranges outside the buffer are refused, and nothing is read or written', async (t) => {
  const { input, output } = streams(t, ParcelFileDescriptor.createPipe())
  output.write(Buffer.from('xyz'))
  const buffer = Buffer.alloc(4)
  for (const [offset, count] of [
    [-1, 1],
    [5, 0],
    [0, 5],
    [4, 1],
    [2, -1],
    [0.5, 1],
    [0, Number.NaN],
  ] as const) {
    t.throws(() => input.read(buffer, offset, count), { code: 'ERR_OUT_OF_RANGE' })
    t.throws(() => output.write(buffer, offset, count), { code: 'ERR_OUT_OF_RANGE' })
  }
  t.equal(input.read(buffer), 3)
})

t.test('wrong types are refused', async (t) => {
  const { input, output } = streams(t, ParcelFileDescriptor.createPipe())
  for (const args of [['text'], [new Uint8Array(1), 0, null]]) {
    t.throws(() => Reflect.apply(input.read, input, args), { code: 'ERR_INVALID_ARG_TYPE' })
  }
  t.throws(() => Reflect.apply(input.read, input, [null]), { code: 'ERR_NULL_POINTER' })
  t.throws(() => Reflect.apply(output.write, output, ['text']), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => output.write(1.5), { code: 'ERR_OUT_OF_RANGE' })
  for (const stream of [AutoCloseInputStream, AutoCloseOutputStream]) {
    t.throws(() => Reflect.construct(stream, [null]), { code: 'ERR_NULL_POINTER' })
    t.throws(() => Reflect.construct(stream, [3]), { code: 'ERR_INVALID_ARG_TYPE' })
  }
})
