/**
 * The instructions that a compiler makes of the area's orders for arm64, where x86-64's stores and loads have them for nothing: every place
 * of sites.h, and the functions around them. The hardware is not at hand; the instructions can be read.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { compile, isThere } from '../test-support/index.ts'

t.setTimeout(300_000) // the compiler's, on a machine that has other things to do
const compiler = 'aarch64-linux-gnu-g++'
const skip = isThere(compiler) ? false : `there is no ${compiler} (Debian: g++-aarch64-linux-gnu)`
const SITES = /X\((k\w+), (kRelaxed|kAcquire|kRelease)\)/g

const text = skip === false ? assembly() : ''

function assembly(): string {
  const file = join(t.testdir(), 'arm64.s')
  compile(compiler, 'model/arm64.cc', ['-S', '-o', file])
  return readFileSync(file, 'utf8')
}

/** The instructions of a function, in the order of the text; labels end with a colon. @param name a regular expression */
function instructionsOf(name: string): string[] {
  const body = text.split(new RegExp(`^${name}:$`, 'm'))[1]?.split(new RegExp(`\\.size\t${name},`))[0]
  if (body === undefined) throw new Error(`there is no ${name}`)
  return body.split('\n').flatMap(
    (line) =>
      line
        .match(/^(\.L\w+:)|^\t(?!\.)(\S.*)$/)
        ?.slice(1)
        .filter(Boolean) ?? [],
  )
}

/** The same, and of what it calls of the heap: some of that a compiler puts in place of the call, and some not. */
function withHeap(name: string): string[] {
  return instructionsOf(name).flatMap((line) => {
    const called = line.match(/^bl\t(_ZN4area4Heap\w+)$/)?.[1]
    return called === undefined ? [line] : instructionsOf(called)
  })
}

function count(lines: readonly string[], instruction: RegExp): number {
  return lines.filter((line) => instruction.test(line)).length
}

t.test('every place with an order has its instruction', { skip }, async (t) => {
  const sites = readFileSync(new URL('../../native/area/sites.h', import.meta.url), 'utf8').matchAll(SITES)
  let places = 0
  for (const [, site, order] of sites) {
    if (site === undefined || order === 'kRelaxed') continue
    const isAcquire = order === 'kAcquire'
    const fence = isAcquire ? /^dmb\tishld/ : /^dmb\tish$/
    const access = isAcquire ? /^ldar\t/ : /^stlr\t/
    t.equal(count(instructionsOf(`site_${site}`), site.endsWith('Fence') ? fence : access), 1, `${site} ${order}`)
    places++
  }
  t.ok(places > 30)
})

t.test('a read: nine acquire loads, two fences, and the copy lies before the second', { skip }, async (t) => {
  const lines = instructionsOf('reader_get')
  t.equal(count(lines, /^ldar\t/), 9)
  t.equal(count(lines, /^dmb\tishld/), 2)
  const copies = lines.flatMap((line, i) => (line.includes('memcpy') ? [i] : []))
  t.equal(copies.length, 1)
  t.equal(nextOrdered(lines, copies[0] ?? 0), 'dmb\tishld')
})

/** The first load, store or fence with an order that control comes to from there. */
function nextOrdered(lines: readonly string[], from: number): string | undefined {
  for (let at = from + 1, steps = 0; steps < 1000; steps++) {
    const line = lines[at]
    if (line === undefined || /^(ldar|stlr|dmb)/.test(line)) return line
    const target = line.match(/^b\t(\.L\w+)/)?.[1]
    at = target === undefined ? at + 1 : lines.indexOf(`${target}:`)
  }
  return undefined
}

t.test(
  'a search: the index, the slots and the uid are acquired, the key is read before a fence',
  { skip },
  async (t) => {
    const lines = instructionsOf('reader_find')
    t.ok(count(lines, /^ldar\t/) >= 3)
    t.ok(count(lines, /^dmb\tishld/) >= 2)
  },
)

const OWNER = 'INS_11OwnerMemoryEE'
const WRITING: [what: string, name: string, releases: number, fences: number][] = [
  ['a new block is cleared before a fence', `_ZN4area4Heap${OWNER}3NewEjNS_4TypeE`, 0, 1],
  ['tx, ref and the entry`s tx are released', `_ZN4area6Writer${OWNER}11FillAndShowESt\\w+`, 3, 0],
  ['the commit is released', `_ZN4area6Writer${OWNER}7PublishESt\\w+`, 1, 0],
  ['uid, count, slot and names after a fence', `_ZN4area8KeyTable${OWNER}7PublishEjRKNS_3KeyEm`, 4, 1],
  ['a retirement: a fence, tx, the commit', `_ZN4area6Writer${OWNER}11RetireEntryEj`, 2, 1],
  ['then the slot, the uid, a fence', `_ZN4area8KeyTable${OWNER}4DropEj`, 2, 1],
  ['a new index is filled and released', `_ZN4area8KeyTable${OWNER}5BuildEi`, 1, 1],
  ['the end: state, every tx, names', `_ZN4area6Writer${OWNER}9MarkMovedEv`, 3, 0],
]

for (const [what, name, releases, fences] of WRITING) {
  t.test(`writing: ${what}`, { skip }, async (t) => {
    const lines = withHeap(name)
    t.ok(count(lines, /^stlr\t/) >= releases)
    t.ok(count(lines, /^dmb\tish$/) >= fences)
  })
}

t.test('the copy of a value into its block comes after the fence of the block', { skip }, async (t) => {
  const lines = instructionsOf(`_ZN4area4Heap${OWNER}3NewEjNS_4TypeE`)
  const fence = lines.findIndex((line) => /^dmb\tish$/.test(line))
  const cleared = lines.findIndex((line) => /^str\txzr/.test(line))
  t.ok(cleared >= 0 && cleared < fence, 'tx = 0 before the fence')
})
