/** The encoding of etcd's messages. */
import t from 'tap'
import { decoded, encoded, longIn } from '../src/etcd/protobuf.ts'

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
