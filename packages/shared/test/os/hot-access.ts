/** What is accessed in a row is got ready for, and what is accessed in turn is not: to get ready costs dozens of accesses. */
import { ftruncate, Mapping, memfdCreate, mmap } from 'memfd-native'
import t, { type Test } from 'tap'
import { HotRange, HotWord } from '../../src/os/hot-access.ts'
import { leakChecked } from '../../test-support/index.ts'

leakChecked(t)

/** A mapping, and the offsets that it was asked to get ready for. */
function watched(t: Test): { mapping: Mapping; asked: number[] } {
  using memfd = memfdCreate('hot')
  ftruncate(memfd, 4096)
  const mapping = Mapping.map(memfd, 4096, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED)
  t.teardown(() => mapping.unmap())
  const asked: number[] = []
  const { int32ReaderBE, rangeReader } = Mapping.prototype
  mapping.int32ReaderBE = (offset) => {
    asked.push(offset)
    return int32ReaderBE.call(mapping, offset)
  }
  mapping.rangeReader = (offset, count) => {
    asked.push(offset)
    return rangeReader.call(mapping, offset, count)
  }
  return { mapping, asked }
}

t.test('a word that is read twice in a row is got ready for', async (t) => {
  const { mapping, asked } = watched(t)
  const word = new HotWord()
  word.onRead(mapping, 8)
  t.not(word.readableAt, 8)
  word.onRead(mapping, 8)
  t.same([word.readableAt, word.writableAt, asked], [8, 8, [8]])
  word.write(-5)
  t.equal(word.read(), -5)
  t.equal(mapping.readInt32BE(8), -5)
  word.forget()
  t.not(word.readableAt, 8)
  t.not(word.writableAt, 8)
})

t.test('a reader that alternates between places prepares less and less often', async (t) => {
  const { mapping, asked } = watched(t)
  const [word, range] = [new HotWord(), new HotRange()]
  for (let i = 0; i < 10_000; i++) {
    for (const offset of [0, 0, 4, 4, 4]) if (word.readableAt !== offset) word.onRead(mapping, offset)
    for (const offset of [0, 0, 64, 64, 64]) if (!range.is(offset, 32)) range.onRead(mapping, offset, 32)
  }
  t.ok(asked.length >= 2 && asked.length <= 30, `${asked.length} times for 100,000 reads`)
})

t.test('ranges that begin at the same place are two', async (t) => {
  const { mapping, asked } = watched(t)
  const range = new HotRange()
  for (const count of [16, 32, 16, 32]) range.onRead(mapping, 0, count)
  t.same(asked, [])
  range.onRead(mapping, 0, 32)
  t.same([range.is(0, 32), range.is(0, 16), asked], [true, false, [0]])
  range.forget()
  t.equal(range.is(0, 32), false)
})
