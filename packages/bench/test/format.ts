import t from 'tap'
import { formatFigure, formatRatio } from '../src/format.ts'

t.test('figures have three significant digits and the unit that suits them', (t) => {
  const table = [
    [12.345, 'us', '12.3 µs'],
    [0.01234, 'us', '0.0123 µs'],
    [1234.5, 'us', '1,235 µs'],
    [33_123, 'us', '33.1 ms'],
    [58_893, 'ns', '58.9 µs'],
    [480_000, 'per second', '480 k/s'],
    [1_512_000, 'per second', '1.51 M/s'],
    [12, 'per second', '12 /s'],
    [8192, 'bytes', '8 KiB'],
    [-3 * 2 ** 20, 'bytes', '-3 MiB'],
    [100, 'bytes', '100 B'],
    [0, 'count', '0'],
    [100_000, 'count', '100,000'],
    [1e-30, 'ns', '0 ns'],
  ] as const
  for (const [number, unit, text] of table) t.equal(formatFigure(number, unit), text)
  t.end()
})

t.test('a ratio to nothing is none', (t) => {
  t.equal(formatRatio(1.4123), '1.41x')
  t.equal(formatRatio(1 / 0), '–')
  t.equal(formatRatio(0 / 0), '–')
  t.end()
})
