import t from 'tap'
import { parseInt32 } from '../../src/commands/int32.ts'

const VALUES: [text: string, value: number][] = [
  ['0', 0],
  ['-0', 0],
  ['42', 42],
  ['-1', -1],
  ['+7', 7],
  ['007', 7],
  ['2147483647', 2147483647],
  ['-2147483648', -2147483648],
]

t.test('decimal integers of 32 bits are values', async (t) => {
  for (const [text, value] of VALUES) t.equal(parseInt32(text), value, text)
})

const NO_VALUES = [
  ...['', ' ', '-', '+', '--1', 'abc', '1a', ' 1', '1 ', '1\n', '1.5', '1.0', '1e3', '0x10', '0b1', '1_000', '1,000'],
  ...['NaN', 'Infinity', '٤٢', '２', '2147483648', '-2147483649', '9'.repeat(400), '__proto__'],
]

t.test('everything else is bad usage, with what was wrong and what is allowed', async (t) => {
  for (const text of NO_VALUES) {
    t.throws(() => parseInt32(text), { exitCode: 2, message: /from -2147483648 to 2147483647, got "/ }, text)
  }
})

t.test('a long text is cut in the message', async (t) => {
  t.throws(() => parseInt32('9'.repeat(400)), { message: /got "9{40}\.\.\."$/ })
})
