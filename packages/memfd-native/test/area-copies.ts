/** Values that are copied in another way than short ones: whole, from and to every place within a line of the cache, and nothing beside. */
import t from 'tap'
import * as api from '../src/index.ts'
import * as support from '../test-support/index.ts'

const KIB = 1024
const LENGTHS = [
  ...[1023, 1024, 1025, 1055, 1056, 1151, 1152, 4096],
  ...[32 * KIB - 1, 32 * KIB, 32 * KIB + 1, 32 * KIB + 127, 65_537, 512 * KIB, 512 * KIB + 1],
]
const ROUND = 0xee

t.test('a value of any length is copied whole, wherever it comes from and goes to', async (t) => {
  using pair = support.newPair({ capacity: 16 * support.MIB })
  const key = pair.reader.key('k')
  for (const length of LENGTHS) {
    const steps = length > 64 * KIB ? [0, 1, 31, 32] : Array.from({ length: 33 }, (_, i) => i)
    for (const step of steps) {
      const source = Buffer.from(Array.from({ length: step + length }, (_, i) => (i * 7 + (i >> 8) + step) & 0xff))
      const value = source.subarray(step)
      support.versionOf(pair.writer.put('k', api.areaTypes.BYTES, value))
      const around = Buffer.alloc(length + 128, ROUND)
      const at = (step * 5) % 64
      // Long ones are copied to and fro: three reads, so that the next place begins with the other direction.
      t.equal(key.read(Buffer.alloc(length)), length)
      t.equal(key.read(around.subarray(at, at + length)), length)
      t.ok(around.subarray(at, at + length).equals(value), `${length} bytes, ${step} from the beginning`)
      const rest = Buffer.concat([around.subarray(0, at), around.subarray(at + length)])
      t.ok(rest.equals(Buffer.alloc(128, ROUND)), 'and nothing else is touched')
      const part = Buffer.alloc(length + 64, ROUND)
      t.equal(key.read(part, step), length - step)
      t.ok(part.subarray(0, length - step).equals(value.subarray(step)))
      t.ok(part.subarray(length - step).equals(Buffer.alloc(step + 64, ROUND)))
    }
  }
})
