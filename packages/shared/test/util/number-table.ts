import t from 'tap'
import { NumberTable } from '../../src/util/number-table.ts'
import { seededRandom } from '../../test-support/index.ts'

const entry = (number: number, text = '') => ({ number, text })

t.test('it does what a Map does, whatever comes and goes', async (t) => {
  const random = seededRandom(t)
  for (const [keys, steps] of [
    [3, 2000],
    [40, 5000],
    [5000, 30_000],
  ] as const) {
    const table = new NumberTable<{ number: number; text: string }>()
    const map = new Map<number, { number: number; text: string }>()
    // Close together, far apart, and such as a peer would take that wants them all in one place.
    const numbers = Array.from({ length: keys }, (_, i) => [i, (i * 0x10000) >>> 0, 0xffffffff - i][i % 3] as number)
    for (let step = 0; step < steps; step++) {
      const number = numbers[random.int(keys)] as number
      if (random.int(2) === 0) {
        const made = entry(number, `${step}`)
        table.set(made)
        map.set(number, made)
      } else {
        table.delete(number)
        map.delete(number)
      }
      if (table.get(number) !== map.get(number) || table.size !== map.size) t.fail(`step ${step}, ${number}`)
    }
    for (const number of numbers) if (table.get(number) !== map.get(number)) t.fail(`${number}`)
    t.strictSame(new Set(table.values()), new Set(map.values()), `${keys} numbers`)
    for (const number of numbers) table.delete(number)
    t.equal(table.size, 0)
    t.strictSame(table.values(), [])
  }
})

t.test('an empty one holds nothing, and can be asked', async (t) => {
  const table = new NumberTable()
  t.equal(table.get(1), undefined)
  table.delete(1)
  t.equal(table.size, 0)
  table.set(entry(0))
  t.equal(table.get(0)?.number, 0)
  t.equal(table.get(1), undefined)
  table.clear()
  t.equal(table.get(0), undefined)
  t.equal(table.size, 0)
})
