import t from 'tap'
import { barChart } from '../src/chart.ts'

const bars = (...medians: number[]) =>
  medians.map((median, i) => ({ label: `${i}`, spread: { median, min: median, max: median }, isOwn: i === 0 }))

function widths(svg: string): number[] {
  return [...svg.matchAll(/<rect x=.* width="([\d.]+)"/g)].map(([, width]) => Number(width))
}

t.test('bars are as long as their figures', (t) => {
  const [first, second] = widths(barChart('chart', [{ heading: 'panel', unit: 'us', bars: bars(10, 20) }])) as [
    number,
    number,
  ]
  t.equal(second, 2 * first)
  t.end()
})

t.test('figures that are far apart get a logarithmic scale, and the chart says so', (t) => {
  const svg = barChart('chart', [{ heading: 'panel', unit: 'per second', bars: bars(1, 100, 10_000) }])
  const [first, second, third] = widths(svg) as [number, number, number]
  t.match(svg, 'more is better, logarithmic')
  t.ok(first > 0, 'the smallest can be seen')
  t.ok(Math.abs(third - second - (second - first)) < 0.2, 'equal factors are equal lengths')
  t.end()
})

t.test('a figure of 0 and a negative one are drawn without length', (t) => {
  t.same(widths(barChart('chart', [{ heading: 'panel', unit: 'bytes', bars: bars(0, -5, 10) }])).slice(0, 2), [0, 0])
  t.notMatch(barChart('chart', [{ heading: 'panel', unit: 'bytes', bars: bars(0) }]), 'NaN')
  t.end()
})

t.test('text is escaped', (t) => {
  const [bar] = bars(1)
  const svg = barChart('a < b', [
    { heading: 'x & y', unit: 'us', bars: [{ ...bar, label: '<script>' } as NonNullable<typeof bar>] },
  ])
  t.notMatch(svg, '<script>')
  t.notMatch(svg, 'x & y')
  t.match(svg, 'a &#60; b')
  t.end()
})
