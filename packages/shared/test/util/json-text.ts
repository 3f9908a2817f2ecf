/** JSON as text, of any depth. */
import t from 'tap'
import { jsonText } from '../../src/util/json-text.ts'

const LEVELS = 200_000

t.test('it is what JSON.stringify writes', async (t) => {
  const value = { a: [1, 'two', null, true, { b: undefined, '"': [] }], __proto__: { c: 1 } }
  t.equal(jsonText(value), JSON.stringify(value))
  t.equal(jsonText(value, 2), JSON.stringify(value, null, 2))
  t.equal(jsonText('\ud800'), '"\\ud800"')
})

t.test('a value that is too deep for JSON.stringify is written all the same', async (t) => {
  for (const [begin, end] of [
    ['[', ']'],
    ['{"a\\n":', '}'],
    ['[1,{"x":"y","z":', ',"last":[2,3]}]'],
  ] as const) {
    const text = `${begin.repeat(LEVELS)}0${end.repeat(LEVELS)}`
    const value: unknown = JSON.parse(text)
    t.throws(() => JSON.stringify(value), RangeError)
    t.ok(jsonText(value) === text, `${begin}0${end}`)
    t.ok(jsonText({ key: 'k', value, version: 1 }) === `{"key":"k","value":${text},"version":1}`)
  }
})

t.test('what has no JSON is refused as ever', async (t) => {
  t.throws(() => jsonText(1n), TypeError)
  const circle: unknown[] = []
  circle.push(circle)
  t.throws(() => jsonText(circle), TypeError)
})
