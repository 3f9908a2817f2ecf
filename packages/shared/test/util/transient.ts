import process from 'node:process'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { TransientMap, TransientSet } from '../../src/util/transient.ts'

t.test('a set has those that came and did not go, in the order in which they came', (t) => {
  const set = new TransientSet<number>()
  const wrong: number[] = []
  for (let i = 0; i < 1000; i++) {
    set.add(i)
    set.add(i)
    if (set.delete(i - 3) !== i >= 3 || set.delete(i - 3)) wrong.push(i)
  }
  t.same(wrong, [])
  t.same([...set], [997, 998, 999])
  t.equal(set.size, 3)
  t.end()
})

t.test('a map has the last value of each key that did not go', (t) => {
  const map = new TransientMap<number, string>()
  const wrong: number[] = []
  for (let i = 0; i < 1000; i++) {
    map.set(i, 'first')
    map.set(i, `value ${i}`)
    if (map.delete(i - 3) !== i >= 3 || map.delete(i - 3)) wrong.push(i)
  }
  t.same(wrong, [])
  t.same(
    [...map],
    [997, 998, 999].map((i) => [i, `value ${i}`]),
  )
  t.same([map.size, map.get(998), map.get(1)], [3, 'value 998', undefined])
  t.end()
})

t.test('all may go while somebody looks at them', (t) => {
  const members = Array.from({ length: 100 }, (_, i) => i)
  const set = new TransientSet<number>()
  for (const member of members) set.add(member)
  const seen: number[] = []
  for (const member of set) {
    seen.push(member)
    set.delete(member)
  }
  t.same(seen, members)
  t.same([...set], [])
  t.end()
})

t.test('those that have gone do not wait for a major collection', (t) => {
  setFlagsFromString('--expose-gc')
  const collectYoung = () => runInNewContext('gc')({ type: 'minor' })
  const set = new TransientSet<object>()
  set.add({})
  for (let i = 0; i < 4; i++) collectYoung() // from here on it is old
  const [count, numbers] = [4000, 1000]
  const few: object[] = []
  const before = process.memoryUsage().heapUsed
  for (let i = 0; i < count; i++) {
    const member = { size: new Array(numbers).fill(i) }
    set.add(member)
    few.push(member)
    if (few.length > 3) set.delete(few.shift() as object)
    if (i % 200 === 0) collectYoung()
  }
  for (let i = 0; i < 2; i++) collectYoung()
  const kept = process.memoryUsage().heapUsed - before
  t.ok(kept < (count * numbers * 8) / 4, `${kept} bytes are kept; a Set of V8's keeps 21 MB`)
  t.end()
})
