/**
 * The rules of the driver one by one, and then any sequence of calls against a model that knows nothing of ranges: one
 * cell per page, cells of one unpinned range share an object.
 */
import t from 'tap'
import { PinTable, type UnpinnedRange } from '../../src/os/pin-table.ts'
import { seededRandom } from '../../test-support/index.ts'

/** `[start,end)` and a `!` for purged, in the order of the pages. */
function picture(table: PinTable): string {
  return sorted(table)
    .map(({ start, end, purged }) => `${start}-${end}${purged ? '!' : ''}`)
    .join(' ')
}

function sorted(table: PinTable): UnpinnedRange[] {
  return [...table.ranges].sort((a, b) => a.start - b.start)
}

function purge(table: PinTable, start: number): void {
  const range = table.ranges.find((range) => range.start === start)
  if (range === undefined) throw new Error(`no range starts at ${start}`)
  range.purged = true
}

/** A table with these ranges unpinned at the moments 1, 2, ... */
function tableOf(...ranges: [start: number, end: number][]): PinTable {
  const table = new PinTable()
  for (const [index, [start, end]] of ranges.entries()) table.unpin(start, end, index + 1)
  return table
}

const UNPINS: [title: string, before: [number, number][], unpin: [number, number], after: string][] = [
  ['the first range', [], [2, 4], '2-4'],
  ['no pages', [], [2, 2], ''],
  ['apart', [[2, 4]], [6, 8], '2-4 6-8'],
  ['adjacent above: not merged', [[2, 4]], [4, 6], '2-4 4-6'],
  ['adjacent below: not merged', [[2, 4]], [0, 2], '0-2 2-4'],
  ['overlapping above', [[2, 4]], [3, 6], '2-6'],
  ['overlapping below', [[2, 4]], [0, 3], '0-4'],
  ['around', [[2, 4]], [0, 6], '0-6'],
  ['the same', [[2, 4]], [2, 4], '2-4'],
  ['inside', [[2, 6]], [3, 5], '2-6'],
  [
    'over three',
    [
      [0, 2],
      [4, 6],
      [8, 10],
    ],
    [1, 9],
    '0-10',
  ],
]

t.test('unpinning adds and merges', async (t) => {
  for (const [title, before, [start, end], after] of UNPINS) {
    const table = tableOf(...before)
    table.unpin(start, end, 9)
    t.equal(picture(table), after, title)
  }
})

t.test('unpinning inside an unpinned range keeps its moment', async (t) => {
  const table = tableOf([0, 8])
  table.unpin(2, 4, 9)
  t.match(table.ranges, [{ unpinnedAt: 1 }])
})

t.test('a merged range is unpinned now', async (t) => {
  const table = tableOf([0, 4])
  table.unpin(2, 6, 9)
  t.match(table.ranges, [{ start: 0, end: 6, unpinnedAt: 9 }])
})

t.test('a range merged with a purged one is purged', async (t) => {
  const table = tableOf([0, 2], [4, 6])
  purge(table, 0)
  table.unpin(1, 5, 9)
  t.equal(picture(table), '0-6!')
})

const PINS: [title: string, pin: [number, number], after: string, wasPurged: boolean][] = [
  ['all of it', [2, 8], '', true],
  ['more than it', [0, 9], '', true],
  ['its start', [0, 4], '4-8!', true],
  ['its end', [6, 9], '2-6!', true],
  ['its middle', [4, 6], '2-4! 6-8!', true],
  ['beside it', [8, 9], '2-8!', false],
  ['no pages', [4, 4], '2-8!', false],
]

t.test('pinning removes, trims and splits, and tells of the purge', async (t) => {
  for (const [title, [start, end], after, wasPurged] of PINS) {
    const table = tableOf([2, 8])
    purge(table, 2)
    t.equal(table.pin(start, end), wasPurged, title)
    t.equal(picture(table), after, title)
  }
})

t.test('each piece of a purged range tells it once', async (t) => {
  const table = tableOf([0, 9])
  purge(table, 0)
  t.same([table.pin(3, 6), table.pin(0, 3), table.pin(6, 9), table.pin(0, 9)], [true, true, true, false])
})

t.test('pins are not counted', async (t) => {
  const table = tableOf([0, 4], [0, 4], [0, 4])
  table.pin(0, 4)
  t.ok(table.isPinned(0, 4))
})

t.test('an interval is pinned when all of its pages are', async (t) => {
  const table = tableOf([2, 4])
  t.same(
    [table.isPinned(0, 2), table.isPinned(0, 3), table.isPinned(3, 9), table.isPinned(4, 9), table.isPinned(3, 3)],
    [true, false, false, true, true],
  )
})

interface Cell {
  unpinnedAt: number
  purged: boolean
}

/** One cell per page: null is pinned, pages of one range hold the same object. */
class PageModel {
  readonly cells: (Cell | null)[]

  constructor(pages: number) {
    this.cells = new Array<Cell | null>(pages).fill(null)
  }

  unpin(start: number, end: number, now: number): void {
    const touched = new Set(this.cells.slice(start, end))
    if (start === end || (touched.size === 1 && !touched.has(null))) return
    const union = { unpinnedAt: now, purged: [...touched].some((cell) => cell?.purged) }
    for (const [page, cell] of this.cells.entries()) {
      if ((page >= start && page < end) || (cell !== null && touched.has(cell))) this.cells[page] = union
    }
  }

  pin(start: number, end: number): boolean {
    if (start === end) return false
    const wasPurged = this.cells.slice(start, end).some((cell) => cell?.purged)
    const below = this.cells[start - 1] ?? null
    const copy = below === null ? null : { ...below }
    for (let page = start; page < this.cells.length; page++) {
      if (page < end) this.cells[page] = null
      else if (this.cells[page] === below) this.cells[page] = copy // what is above is a range of its own now
    }
    return wasPurged
  }

  ranges(): UnpinnedRange[] {
    return this.cells.flatMap((cell, start) => {
      if (cell === null || this.cells[start - 1] === cell) return []
      return [{ start, end: this.cells.lastIndexOf(cell) + 1, ...cell }]
    })
  }
}

t.test('any sequence of unpin, pin and purge leaves what a page-by-page model has', async (t) => {
  const PAGES = 24
  const random = seededRandom(t)
  for (let round = 0; round < 200; round++) {
    const table = new PinTable()
    const model = new PageModel(PAGES)
    for (let step = 1; step <= 60; step++) {
      const start = random.int(PAGES)
      const end = start + random.int(PAGES - start + 1)
      const action = ['unpin', 'unpin', 'pin', 'purge'][random.int(4)]
      const what = `round ${round}, step ${step}: ${action} ${start}-${end}`
      if (action === 'unpin') {
        table.unpin(start, end, step)
        model.unpin(start, end, step)
      } else if (action === 'pin') {
        if (table.pin(start, end) !== model.pin(start, end)) return t.fail(what)
      } else {
        const range = sorted(table)[random.int(table.ranges.length)]
        const cell = model.cells[range?.start ?? -1]
        if (range && cell) {
          range.purged = true
          cell.purged = true
        }
      }
      const isPinned = model.cells.slice(start, end).every((cell) => cell === null)
      if (table.isPinned(start, end) !== isPinned) return t.fail(`${what}: isPinned`)
      if (!same(sorted(table), model.ranges())) return t.same(sorted(table), model.ranges(), what)
    }
  }
  t.pass('12,000 steps')
})

function same(a: UnpinnedRange[], b: UnpinnedRange[]): boolean {
  const lines = (ranges: UnpinnedRange[]) => ranges.map((r) => `${r.start}-${r.end}@${r.unpinnedAt}${r.purged}`).join()
  return lines(a) === lines(b)
}
