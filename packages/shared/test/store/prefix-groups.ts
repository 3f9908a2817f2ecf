/** Which watchers a change is for: those with a prefix of its key, however many others there are. */
import t from 'tap'
import * as support from '../../test-support/index.ts'

const { PrefixGroups } = support

function prefixesOf(groups: support.PrefixGroups, keys: readonly string[]): string[] {
  return [...groups.of(keys)].map(({ prefix }) => prefix).sort()
}

t.test('it finds the same as a plain list of all prefixes, whatever comes and goes', async (t) => {
  const random = support.seededRandom(t)
  const word = (most: number) => {
    const length = random.int(most + 1)
    return Array.from({ length }, () => 'ab/\u{ff}\u{1f600}'[random.int(6)]).join('')
  }
  const groups = new PrefixGroups()
  const joined: support.PrefixGroup[] = []
  for (let step = 0; step < 4000; step++) {
    // Few enough that groups come and go.
    if (joined.length === 0 || (joined.length < 16 && random.int(2) === 0)) joined.push(groups.join(word(5)))
    else {
      const [left] = joined.splice(random.int(joined.length), 1)
      if (left === undefined) break
      t.equal(groups.leave(left), !joined.includes(left))
    }
    const keys = Array.from({ length: 1 + random.int(3) }, () => word(7))
    const all = new Set(joined.map(({ prefix }) => prefix))
    const expected = [...all].filter((prefix) => keys.some((key) => key.startsWith(prefix))).sort()
    if (JSON.stringify(prefixesOf(groups, keys)) !== JSON.stringify(expected) || groups.size !== all.size) {
      t.strictSame(prefixesOf(groups, keys), expected, `${keys} at step ${step}`)
      return
    }
  }
  t.pass('4,000 steps')
})

t.test('the longest prefixes, and very many of them', async (t) => {
  const groups = new PrefixGroups()
  const LONGEST = 512
  for (let length = LONGEST; length >= 0; length--) groups.join('p'.repeat(length))
  for (let i = 0; i < 4000; i++) groups.join(`other/${i}`)
  const keys = Array.from({ length: 256 }, (_, i) => 'p'.repeat(505) + i)
  t.equal(prefixesOf(groups, keys).length, 506)
  t.strictSame(prefixesOf(groups, ['q'.repeat(512), 'o']), [''])
  t.strictSame(prefixesOf(groups, ['other/12']), ['', 'other/1', 'other/12'])
})
