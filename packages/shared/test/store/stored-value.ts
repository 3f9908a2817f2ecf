/** Bytes that were read belong to whoever read them: no other read, of whatever length, changes them, and they change nothing. */
import t from 'tap'
import { leakChecked, publishedStore, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

const LENGTHS = [1, 100, 256, 257, 60_000, 65_536, 65_537, 300_000]

t.test('bytes of one read are not those of another', async (t) => {
  const { owner, store } = await publishedStore(t)
  const isAll = (bytes: unknown, byte: number, length: number) =>
    bytes instanceof Uint8Array && bytes.length === length && bytes.every((each) => each === byte)
  for (const [i, length] of LENGTHS.entries()) owner.set(`k${i}`, Buffer.alloc(length, i + 1))
  for (const reader of [owner, store]) {
    const first = LENGTHS.map((_, i) => reader.get(`k${i}`) as Uint8Array)
    const again = LENGTHS.map((_, i) => reader.get(`k${i}`) as Uint8Array)
    for (const [i, length] of LENGTHS.entries()) {
      t.ok(isAll(first[i], i + 1, length), `${length} bytes`)
      first[i]?.fill(0)
      t.ok(isAll(again[i], i + 1, length), `${length} bytes, read once more`)
      t.ok(isAll(reader.get(`k${i}`), i + 1, length), `${length} bytes in the store`)
      t.equal(again[i]?.buffer.byteLength, length, 'nothing else is behind them')
    }
  }
})
