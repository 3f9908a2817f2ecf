/** Which versions stores give: none is given twice, and none is ahead of the clock, by which alone a store that begins again knows of them. */
import t from 'tap'
import { farVersions, givenUpTo, isPlain, moreVersions, plainVersions } from '../../src/store/versions.ts'
import { leakChecked, ownedStore, publishedStore, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

const HOUR = 8_000n * 3_600_000n
const clock = () => BigInt(Date.now() - Date.UTC(2026, 0)) * 8000n
const stretchOf = (version: bigint) => (version - 2n ** 53n) >> 20n

t.test('stores made in one moment begin apart, and after what was given before', async (t) => {
  const begins = Array.from({ length: 1000 }, () => plainVersions().after)
  t.ok(begins.every((begin, i) => isPlain(begin) && (i === 0 || begin > (begins[i - 1] as bigint))))
  const last = (begins.at(-1) as bigint) + 1_000_000n
  givenUpTo(last)
  t.ok(plainVersions().after > last)
})

t.test('areas of one store have stretches of their own, each above all that was given before', async (t) => {
  let end = 2n ** 53n
  for (let i = 0; i < 1000; i++) {
    const { after, count } = farVersions()
    t.ok(after >= end && count > 1_000_000)
    end = after + BigInt(count)
  }
  givenUpTo(end + 2n ** 40n)
  const { after } = farVersions()
  t.ok(after > end + 2n ** 40n)
  t.equal((after - 2n ** 53n) % 2n ** 20n, 0n)
})

t.test(
  'an area that is slower than the clock continues with plain versions, a faster one gets far versions',
  async (t) => {
    const last = clock() - HOUR
    const slow = moreVersions(last)
    t.equal(slow.after, last)
    t.ok(slow.count > 1_000_000)
    const before = farVersions().after
    t.ok(before < moreVersions(clock() + 1n).after)
    const far = moreVersions(before + 5n)
    t.ok(
      stretchOf(far.after) > stretchOf(before) + 1n,
      'never the next ones: what is left out is longer than a change log',
    )
  },
)

/** What it takes to be ahead of the clock. */
const MANY = 40_000

t.test(
  'an owner that is ahead of the clock leaves versions out, and neither readers nor watchers miss anything',
  async (t) => {
    givenUpTo(clock() + HOUR)
    const { owner, store } = await publishedStore(t)
    const first = owner.set('k', 0)
    t.ok(isPlain(first) && first > clock())
    const changes = store.changes('k')
    owner.set('k', 1)
    t.match((await changes.next()).value, { value: 1 })
    owner.set('gone', 1)
    owner.delete('gone')
    const seen = new Set([first])
    for (let i = 0; i < MANY; i++) {
      const version = owner.set(i % 3 === 0 ? 'k' : `k${i % 100}`, i)
      t.ok(version > first && !seen.has(version)) || t.bailout('a version was given twice')
      seen.add(version)
    }
    const last = owner.set('k', 'last')
    t.notOk(isPlain(last))
    t.same([store.get('k'), store.getEntry('k').version, store.getEntry('gone').version], ['last', last, 0n])
    t.equal(store.snapshot(['k', 'k1']).size, 2)
    for await (const { key, value, version } of changes)
      if (key === 'k' && version === last) {
        t.equal(value, 'last')
        break
      }
    const watching = store.changes('k')
    owner.update(Array.from({ length: 200 }, (_, i) => ({ key: `k${i}`, value: 'again' })))
    const heard = new Set<string>()
    for await (const { key } of watching) if (heard.add(key).size === 200) break
    t.equal(await store.set('k', 2, { ifVersion: last }), owner.set('k', 3) - 1n)
  },
)

t.test('versions for retiring deleted keys count, too', async (t) => {
  givenUpTo(clock() + HOUR)
  const store = ownedStore(t, { maxKeys: 16 })
  let last = 0n
  for (let i = 0; i < MANY; i++) {
    const version = store.set(`k${i}`, i)
    if (version <= last) t.fail(`${version} after ${last}`)
    last = version
    store.delete(`k${i}`)
  }
  t.notOk(isPlain(last))
})

t.test('a version that says that there are no more after it is refused, and nothing else is', async (t) => {
  const before = farVersions().after
  t.throws(
    () => {
      givenUpTo(2n ** 63n - 1n)
      farVersions()
    },
    { code: 'ERR_LIMIT' },
  )
  t.ok(before < 2n ** 63n)
})
