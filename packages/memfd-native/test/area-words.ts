/** Short keys and few bytes go between JavaScript and native code by memory that both have: nothing of one call is seen by another. */
import t, { type Test } from 'tap'
import * as api from '../src/index.ts'
import * as support from '../test-support/index.ts'

/** What is handed over in that memory has at most so many bytes. */
const FEW = 256
const LENGTHS = [0, 1, 63, 64, 65, FEW - 1, FEW, FEW + 1, 300]
/** And of a key. */
const KEY_LENGTHS = [1, 63, 64, 65, 300]
const { BYTES } = api.areaTypes
const { ABSENT, CONFLICT } = api.areaCodes
const LATE_MS = 60_000

const bytesOf = (length: number, first: number) => Buffer.from(Array.from({ length }, (_, i) => (first + i) & 0xff))

t.test('values of every length are read into buffers of every length, beginning where it is asked', async (t) => {
  using pair = support.newPair()
  for (const length of LENGTHS) {
    const value = bytesOf(length, length)
    support.versionOf(pair.writer.put('k', BYTES, value))
    const key = pair.reader.key('k')
    for (const room of LENGTHS) {
      for (const position of [0, 1, 60, 400]) {
        const target = Buffer.alloc(room, 0xee)
        const count = key.read(target, position)
        const wanted = value.subarray(position, position + room)
        t.equal(count, wanted.length)
        t.same(target, Buffer.concat([wanted, Buffer.alloc(room - wanted.length, 0xee)]), 'and nothing else is touched')
        t.same([key.byteLength, key.type], [length, BYTES])
      }
      const target = Buffer.alloc(room, 0xee)
      t.equal(pair.reader.readOnce('k', target), Math.min(length, room))
      t.same(target.subarray(0, length), value.subarray(0, room))
    }
  }
})

t.test('keys of every length, in ASCII or not, are what they are', async (t) => {
  using pair = support.newPair()
  const keys = KEY_LENGTHS.flatMap((length) => ['k'.repeat(length), `${'k'.repeat(length - 1)}é`, 'é'.repeat(length)])
  const all = [...keys, '\x7f', '\x80', '\u0141', '\u{1f600}', 'k\0k'].filter((key) => Buffer.byteLength(key) <= 512)
  for (const [i, key] of all.entries()) support.put(pair.writer, key, `value ${i}`)
  const target = Buffer.alloc(16)
  for (const key of all) {
    const wanted = `value ${all.lastIndexOf(key)}`
    t.equal(target.toString('latin1', 0, pair.reader.readOnce(key, target)), wanted)
    t.equal(target.toString('latin1', 0, pair.reader.key(key).read(target)), wanted)
    t.equal(pair.reader.readOnce(`${key}.`, target), ABSENT)
  }
})

t.test('anything that is not a key is refused by its code, whatever it looks like', async (t) => {
  using pair = support.newPair()
  const traps = [new Proxy(new Uint8Array(8), {}), { length: 0 }, [], Object('k'), 5, undefined, null]
  for (const key of traps as string[]) {
    const error = { code: 'ERR_INVALID_ARG_TYPE' }
    t.throws(() => pair.reader.readOnce(key, Buffer.alloc(8)), error)
    t.throws(() => pair.writer.put(key, BYTES, Buffer.alloc(8)), error)
  }
})

t.test('a key is what was asked for, whatever was asked before it', async (t) => {
  using pair = support.newPair()
  support.put(pair.writer, 'a', 'first')
  support.put(pair.writer, 'é', 'second')
  const target = Buffer.alloc(16)
  pair.reader.readOnce('a', target)
  t.equal(pair.reader.readOnce('é', target), 6, 'one that is an argument')
  t.equal(pair.reader.key('none').read(target), ABSENT)
  t.equal(pair.reader.readOnce('a', target), 5)
  t.equal(pair.reader.key('a').read(target, 0, 99n), CONFLICT)
  t.equal(pair.reader.readOnce('a', target), 5, 'of any version')
})

t.test('a key that is put again and again is that key in every area, whatever is done between', async (t) => {
  using pair = support.newPair()
  using other = support.newPair()
  const { writer, reader } = pair
  const target = Buffer.alloc(16)
  const check = (key: string, value: string) => t.equal(support.textOf(reader, key), value)
  for (const key of ['a', 'é', 'k'.repeat(64), 'k'.repeat(65)]) {
    support.put(writer, key, 'one')
    support.put(writer, key, 'two')
    check(key, 'two')
    support.put(other.writer, key, 'of the other')
    support.put(other.writer, 'b', 'of the other')
    support.put(writer, 'b', 'between')
    support.put(writer, key, 'three')
    reader.readOnce('b', target)
    support.put(writer, 'b', 'after a read')
    reader.readOnce(key, target)
    t.equal(
      support.codeOf(() => writer.put(key, BYTES, {} as never)),
      'ERR_INVALID_ARG_TYPE',
    )
    check('b', 'after a read')
    check(key, 'three')
    support.versionOf(writer.delete(key))
    t.equal(reader.readOnce(key, target), ABSENT)
    t.equal(writer.retire(1), 1)
    support.put(writer, 'in its place', 'x')
    support.put(writer, key, 'again')
    check(key, 'again')
    check('in its place', 'x')
    t.equal(support.textOf(other.reader, key), 'of the other')
    support.versionOf(writer.delete('in its place'))
    t.equal(writer.retire(1), 1)
    support.put(writer, key, 'the entry is the same')
    check(key, 'the entry is the same')
  }
})

t.test('a key is what it was when it could not be put', async (t) => {
  using pair = support.newPair({ maxKeys: 1 })
  support.put(pair.writer, 'a', 'one')
  t.equal(pair.writer.put('b', BYTES, Buffer.alloc(1)), api.areaWriteCodes.TOO_MANY_KEYS)
  t.equal(pair.writer.put('b', BYTES, Buffer.alloc(1)), api.areaWriteCodes.TOO_MANY_KEYS)
  support.put(pair.writer, 'a', 'two')
  t.equal(pair.writer.put('b'.repeat(513), BYTES, Buffer.alloc(1)), api.areaWriteCodes.INVALID)
  support.put(pair.writer, 'a', 'three')
  t.equal(support.textOf(pair.reader, 'a'), 'three')
})

t.test('an area says when it has changed last', async (t) => {
  using pair = support.newPair()
  const { writer } = pair
  t.equal(writer.stats.changedAt, 0, 'never')
  const before = Date.now()
  support.put(writer, 'a', 'one')
  const first = writer.stats.changedAt
  // The time of the kernel's last tick, which comes late where other guests of the same machine had the processor.
  t.ok(first > before - LATE_MS && first <= Date.now() + 10, `${before}, then ${first}`)
  support.versionOf(writer.delete('a'))
  t.ok(writer.stats.changedAt >= first)
  const last = writer.stats.changedAt
  while (Date.now() <= last + 20); // another tick of the kernel
  t.type(writer.put('k', BYTES, Buffer.alloc(16 * support.MIB)), 'number', 'there is no room')
  t.equal(writer.stats.changedAt, last, 'nothing has changed')
  t.equal(writer.delete('a'), 0n)
  t.equal(writer.load('b', { type: BYTES, version: 1n, bytes: Buffer.alloc(1) }), api.areaWriteCodes.TOO_LATE)
})

t.test('a caller that puts or reads a few bytes sees no others', async (t) => {
  using pair = support.newPair()
  const key = pair.reader.key('k')
  pair.writer.put('k', BYTES, Buffer.from('secret of a call'))
  const seen: unknown[] = []
  class Curious extends Uint8Array {
    override set(...args: Parameters<Uint8Array['set']>): void {
      seen.push(args)
    }
  }
  const target = new Curious(8)
  t.equal(key.read(target), 8)
  t.same([...target], [...Buffer.from('secret o')])
  t.equal(key.read(target, 14), 2)
  t.same([...target], [...Buffer.from('llcret o')])
  t.same(seen, [])
})

t.test('a buffer that is gone has no room, and what is none is refused', async (t) => {
  using pair = support.newPair()
  support.put(pair.writer, 'k', 'value')
  const key = pair.reader.key('k')
  const gone = new Uint8Array(8)
  structuredClone(gone.buffer, { transfer: [gone.buffer] })
  t.equal(readAgain(key, gone), 0)
  readAgain(key, Buffer.alloc(8))
  t.equal(key.read(gone), 0, 'of what is kept neither')
  t.equal(pair.reader.readOnce('k', gone), 0)
  support.versionOf(pair.writer.put('empty', BYTES, gone))
  t.equal(support.textOf(pair.reader, 'empty'), '')
  const shared = new Uint8Array(new SharedArrayBuffer(8))
  t.equal(key.read(shared), 5)
  t.equal(Buffer.from(shared).toString('latin1', 0, 5), 'value')
  for (const wrong of [
    undefined,
    'text',
    7,
    {},
    [1],
    new Int8Array(8),
    new Uint8ClampedArray(8),
    new DataView(new ArrayBuffer(8)),
  ]) {
    const isRefused = (act: () => unknown) => t.equal(support.codeOf(act), 'ERR_INVALID_ARG_TYPE')
    isRefused(() => key.read(wrong as never))
    isRefused(() => pair.writer.put('k', BYTES, wrong as never))
    isRefused(() => pair.writer.put('k', '1' as never, Buffer.alloc(1)))
  }
  isRefusedType(t, pair.writer)
  t.equal(support.textOf(pair.reader, 'k'), 'value')
})

function isRefusedType(t: Test, writer: api.AreaWriter): void {
  for (const type of [0, 3, 1.5, -1, 2 ** 32 + 1, Number.NaN]) {
    t.equal(
      support.codeOf(() => writer.put('k', type, Buffer.alloc(1))),
      'ERR_OUT_OF_RANGE',
    )
  }
}

/** Reads it so often that it is kept from then on. */
function readAgain(key: api.AreaKey, target: Uint8Array): number {
  for (let i = 0; i < 3; i++) key.read(target)
  return key.read(target)
}

t.test('a value that is read again and again is the value, whatever becomes of it and of its copies', async (t) => {
  using pair = support.newPair()
  const { writer, reader } = pair
  const key = reader.key('k')
  for (const length of [...LENGTHS, 256, 257]) {
    const target = Buffer.alloc(400)
    const value = bytesOf(length, 1)
    support.versionOf(writer.put('k', BYTES, value))
    t.equal(readAgain(key, target), length)
    t.same(target.subarray(0, length), value)
    target.fill(0)
    t.equal(key.read(target), length)
    t.same(target.subarray(0, length), value, 'not the copy that was changed')
    const part = Buffer.alloc(3)
    t.equal(key.read(part, 1), Math.max(Math.min(length - 1, 3), 0))
    t.same(part.subarray(0, Math.max(length - 1, 0)), value.subarray(1, 4))
    t.equal(key.read(part, length), 0)
    t.equal(key.read(part, length + 1), 0)
    t.equal(key.read(target, 0, 1n), length === 0 ? 0 : CONFLICT, 'of another version')
    const kept = key.keptBytes()
    t.equal(kept === null, length === 0 || length > 256)
    kept?.fill(0)
    t.equal(key.read(target), length)
    t.same(target.subarray(0, length), value)
    support.versionOf(
      writer.put(
        'k',
        BYTES,
        value.map((byte) => byte ^ 1),
      ),
    )
    t.equal(key.keptBytes(), null)
    t.equal(key.read(target), length)
    t.same(
      target.subarray(0, length),
      value.map((byte) => byte ^ 1),
    )
  }
  readAgain(key, Buffer.alloc(400))
  support.versionOf(writer.delete('k'))
  t.equal(key.read(Buffer.alloc(400)), ABSENT)
})

t.test('a value that is kept ends with the area, and refuses what a read refuses', async (t) => {
  using pair = support.newPair()
  const { writer, reader } = pair
  support.put(writer, 'k', 'value')
  const key = reader.key('k')
  readAgain(key, Buffer.alloc(8))
  t.ok(key.keptBytes())
  for (const position of [-1, Number.NaN, 2 ** 60])
    t.equal(
      support.codeOf(() => key.read(Buffer.alloc(8), position)),
      'ERR_OUT_OF_RANGE',
    )
  t.equal(
    support.codeOf(() => key.read([] as never)),
    'ERR_INVALID_ARG_TYPE',
  )
  writer.markMoved()
  t.equal(key.keptBytes(), null)
  t.equal(key.read(Buffer.alloc(8)), 5, 'the last one it had')
  t.equal(key.state, api.areaStates.MOVED)
  reader.close()
  t.equal(key.keptBytes(), null)
  t.equal(
    support.codeOf(() => key.read(Buffer.alloc(8))),
    'ERR_CLOSED',
  )
})

t.test('no more keys are kept than were read lately', async (t) => {
  using pair = support.newPair({ capacity: 8 * support.MIB, maxKeys: 20_000 })
  const { writer, reader } = pair
  const keys = Array.from({ length: 17_000 }, (_, i) => `k${i}`)
  for (const key of keys) support.put(writer, key, key)
  const target = Buffer.alloc(8)
  const all = keys.map((key) => reader.key(key))
  for (let round = 0; round < 3; round++) {
    t.ok(
      all.every(
        (key) => key.read(target) === key.key.length && target.toString('latin1', 0, key.key.length) === key.key,
      ),
    )
    t.ok(all.every((key) => key.keptBytes() === null))
  }
})

t.test('the room of an area is what its stats say', async (t) => {
  using pair = support.newPair()
  const { writer } = pair
  const isSame = () => {
    const { allocatedBytes, usedBytes, reservedBlocks } = writer.stats
    t.same(writer.room, { allocatedBytes, usedBytes, reservedBlocks })
  }
  isSame()
  support.versionOf(writer.put('k', BYTES, Buffer.alloc(300_000)))
  writer.reserve(100, BYTES)
  isSame()
  t.equal(writer.room.reservedBlocks, 1)
})
