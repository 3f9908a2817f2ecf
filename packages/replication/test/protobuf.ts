/** The encoding of etcd's messages. */
import t from 'tap'
import { decoded, encoded, longIn } from '../src/etcd/protobuf.ts'

t.test('numbers of every length come back as they went', (t) => {
  const numbers = [7, 14, 31, 32, 52, 53, 54, 63].flatMap((bits) => [2n ** BigInt(bits) - 1n, 2n ** BigInt(bits)])
  for (const number of [0n, 1n, ...numbers]) t.equal(longIn(decoded(encoded([[3, number]])), 3), number)
  t.strictSame(encoded([[1, 300]]), Buffer.from('08ac02', 'hex'))
  t.strictSame(encoded([[2, Buffer.from('ab')]]), Buffer.from('12026162', 'hex'))
  t.end()
})

t.test('numbers of 64 bits and fields that are not known are read', (t) => {
  const most = 2n ** 64n - 1n
  const fields = decoded(
    Buffer.concat([
      encoded([
        [1, most],
        [2, 0],
      ]),
      Buffer.from('1900000000000000002500000000', 'hex'),
    ]),
  )
  t.equal(longIn(fields, 1), most)
  t.equal(longIn(fields, 2), 0n)
  t.equal(longIn(fields, 9), 0n)
  t.throws(() => decoded(Buffer.from('0a05', 'hex')), { name: 'RangeError' })
  t.throws(() => decoded(Buffer.from('0b', 'hex')), /type 3/)
  t.throws(() => decoded(Buffer.from(`08${'ff'.repeat(10)}`, 'hex')), /64 bits/)
  t.end()
})
