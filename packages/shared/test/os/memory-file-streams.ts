/** The streams of a MemoryFile: cursors, the ends of the file, and the Node streams made of them. */
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import t from 'tap'
import { ashmem, MemoryFile } from '../../src/index.ts'
import { leakChecked } from '../../test-support/index.ts'

leakChecked(t)

/** A file with these bytes. */
function fileOf(...bytes: number[]): MemoryFile {
  const file = new MemoryFile('streams', bytes.length)
  file.writeBytes(Uint8Array.from(bytes), 0, 0, bytes.length)
  return file
}

function contents(file: MemoryFile): number[] {
  const buffer = new Uint8Array(file.length())
  file.readBytes(buffer, 0, 0, buffer.length)
  return [...buffer]
}

t.test('single reads give bytes of 0 to 255, then -1 again and again', async (t) => {
  using file = fileOf(0, 127, 128, 255)
  const input = file.getInputStream()
  t.same(
    Array.from({ length: 6 }, () => input.read()),
    [0, 127, 128, 255, -1, -1],
  )
})

t.test('a read takes what there is', async (t) => {
  using file = fileOf(1, 2, 3, 4, 5)
  const input = file.getInputStream()
  const buffer = new Uint8Array(4)
  t.equal(input.read(buffer), 4)
  t.same([...buffer], [1, 2, 3, 4])
  t.equal(input.read(buffer), 1)
  t.same([...buffer], [5, 2, 3, 4])
  t.equal(input.read(buffer), -1)
})

t.test('a read puts it where it is told', async (t) => {
  using file = fileOf(1, 2, 3, 4, 5)
  const input = file.getInputStream()
  const buffer = new Uint8Array(5)
  t.equal(input.read(buffer, 3), 2, 'to the end of the buffer')
  t.equal(input.read(buffer, 1, 1), 1)
  t.same([...buffer], [0, 3, 0, 1, 2])
})

t.test('a read of nothing answers -1, also before the end', async (t) => {
  using file = fileOf(1, 2)
  const input = file.getInputStream()
  t.equal(input.read(new Uint8Array(0)), -1)
  t.equal(input.read(new Uint8Array(4), 4), -1)
  t.equal(input.read(new Uint8Array(4), 0, 0), -1)
  t.equal(input.available(), 2)
})

t.test('a read lies within its buffer, also at the end of the file', async (t) => {
  using file = fileOf(1, 2)
  const input = file.getInputStream()
  for (const end of [false, true]) {
    if (end) input.skip(2)
    for (const [offset, count] of [
      [-1, 1],
      [5, 0],
      [0, 5],
      [0, -1],
      [1, 4],
      [0.5, 1],
      [2 ** 53, 2 ** 53],
    ]) {
      t.throws(() => input.read(new Uint8Array(4), offset, count), { code: 'ERR_OUT_OF_RANGE' })
    }
    t.throws(() => input.read(null as unknown as Uint8Array), { code: 'ERR_NULL_POINTER' })
    t.throws(() => input.read('x' as unknown as Uint8Array), { code: 'ERR_INVALID_ARG_TYPE' })
    t.throws(() => input.read(new Uint8Array(1), 0, null as never), { code: 'ERR_INVALID_ARG_TYPE' })
  }
})

t.test('streams of one file have cursors of their own', async (t) => {
  using file = fileOf(1, 2, 3)
  const [one, other] = [file.getInputStream(), file.getInputStream()]
  t.same([one.read(), one.read(), other.read(), one.read(), other.read()], [1, 2, 1, 3, 2])
})

const SKIPS: [title: string, skips: number[], moved: number[], next: number][] = [
  ['forward', [1, 2], [1, 2], 4],
  ['nothing', [0], [0], 1],
  ['to the end', [5], [5], -1],
  ['beyond the end', [2, 9], [2, 3], -1],
  ['far beyond the end', [2 ** 53 - 1], [5], -1],
  ['back', [3, -2], [3, -2], 2],
]

t.test('skipping moves the cursor, not beyond the end', async (t) => {
  for (const [title, skips, moved, next] of SKIPS) {
    using file = fileOf(1, 2, 3, 4, 5)
    const input = file.getInputStream()
    t.same(
      skips.map((n) => input.skip(n)),
      moved,
      title,
    )
    t.equal(input.read(), next, title)
  }
})

t.test('skipping back goes before the start, where nothing can be read', async (t) => {
  using file = fileOf(1, 2)
  const input = file.getInputStream()
  t.equal(input.skip(-3), -3)
  t.equal(input.available(), 5)
  t.throws(() => input.read(), { code: 'ERR_OUT_OF_RANGE' })
  t.equal(input.skip(3), 3)
  t.equal(input.read(), 1)
})

t.test('skip takes an integer', async (t) => {
  using file = fileOf(1)
  const input = file.getInputStream()
  t.throws(() => input.skip(0.5), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => input.skip(Number.NaN), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => input.skip('1' as unknown as number), { code: 'ERR_INVALID_ARG_TYPE' })
})

t.test('reset goes to the mark, at first to the start, whatever the read limit', async (t) => {
  using file = fileOf(1, 2, 3)
  const input = file.getInputStream()
  t.equal(input.markSupported(), true)
  input.read()
  input.reset()
  t.equal(input.read(), 1)
  input.mark(0)
  input.skip(2)
  t.equal(input.available(), 0)
  input.reset()
  t.equal(input.read(), 2)
  input.reset()
  t.equal(input.read(), 2, 'the mark stays')
})

t.test('a read that fails leaves the cursor', async (t) => {
  using file = fileOf(1, 2, 3)
  const input = file.getInputStream()
  input.read()
  file.allowPurging(true)
  ashmem.purgeAll()
  t.throws(() => input.read(new Uint8Array(2)), { code: 'ERR_PURGED' })
  t.equal(input.available(), 2)
})

t.test('writes advance, single bytes by their low 8 bits', async (t) => {
  using file = new MemoryFile('streams', 7)
  const output = file.getOutputStream()
  output.write(1)
  output.write(Uint8Array.of(2, 3))
  output.write(Uint8Array.of(9, 4, 9), 1, 1)
  output.write(Uint8Array.of(9, 5), 1)
  output.write(0x106)
  output.write(-1)
  output.flush()
  t.same(contents(file), [1, 2, 3, 4, 5, 6, 255])
})

t.test('a write that does not fit writes nothing and leaves the cursor', async (t) => {
  using file = new MemoryFile('streams', 3)
  const output = file.getOutputStream()
  output.write(1)
  t.throws(() => output.write(Uint8Array.of(7, 7, 7)), { code: 'ERR_OUT_OF_RANGE' })
  t.same(contents(file), [1, 0, 0])
  output.write(Uint8Array.of(2, 3))
  output.write(new Uint8Array(0))
  t.throws(() => output.write(4), { code: 'ERR_OUT_OF_RANGE' })
  t.same(contents(file), [1, 2, 3])
})

t.test('a write is an int or lies within its buffer', async (t) => {
  using file = new MemoryFile('streams', 3)
  const output = file.getOutputStream()
  for (const [offset, count] of [
    [-1, 1],
    [3, 0],
    [0, 3],
    [0, -1],
    [1, 2],
  ]) {
    t.throws(() => output.write(new Uint8Array(2), offset, count), { code: 'ERR_OUT_OF_RANGE' })
  }
  t.throws(() => output.write(2 ** 31), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => output.write(1.5), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => output.write('x' as unknown as number), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => output.write(new Uint8Array(1), 0, null as never), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => output.write(null as unknown as Uint8Array), { code: 'ERR_NULL_POINTER' })
})

t.test('a closed stream refuses further use and leaves the file as it is', async (t) => {
  using file = fileOf(1, 2)
  const input = file.getInputStream()
  const output = file.getOutputStream()
  for (const stream of [input, output]) {
    stream.close()
    stream.close()
  }
  const calls = [
    () => input.read(),
    () => input.read(new Uint8Array(1)),
    () => input.skip(1),
    () => input.available(),
    () => input.mark(1),
    () => input.reset(),
    () => output.write(1),
    () => output.write(new Uint8Array(1)),
    () => output.flush(),
  ]
  for (const call of calls) t.throws(call, { code: 'ERR_CLOSED' })
  t.equal(input.markSupported(), true)
  t.same(contents(file), [1, 2])
})

t.test('a Node stream reads from the cursor to the end', async (t) => {
  using file = new MemoryFile('streams', 200_000)
  file.writeBytes(Buffer.from('x'.repeat(200_000)), 0, 0, 200_000)
  const input = file.getInputStream()
  input.skip(50_000)
  t.equal(await text(input.toReadable()), 'x'.repeat(150_000))
  t.equal(input.available(), 0)
})

t.test('a Node stream fails with what reading throws', async (t) => {
  const file = fileOf(1, 2)
  const readable = file.getInputStream().toReadable()
  file.close()
  await t.rejects(text(readable), { code: 'ERR_DEACTIVATED' })
})

t.test('a Node stream writes from the cursor', async (t) => {
  using file = new MemoryFile('streams', 6)
  const output = file.getOutputStream()
  output.write(120)
  await pipeline(['ab', Buffer.from('cde')], output.toWritable())
  t.equal(Buffer.from(contents(file)).toString(), 'xabcde')
})

t.test('a Node stream fails at the chunk that does not fit', async (t) => {
  using file = new MemoryFile('streams', 4)
  await t.rejects(pipeline(['abc', 'de'], file.getOutputStream().toWritable()), { code: 'ERR_OUT_OF_RANGE' })
  t.equal(Buffer.from(contents(file)).toString(), 'abc\0')
})

t.test('a file is copied to another through Node streams', async (t) => {
  using from = new MemoryFile('from', 100_000)
  using to = new MemoryFile('to', 100_000)
  from.writeBytes(
    Uint8Array.from({ length: 100_000 }, (_, index) => index),
    0,
    0,
    100_000,
  )
  await pipeline(from.getInputStream().toReadable(), to.getOutputStream().toWritable())
  t.same(contents(to), contents(from))
})
