/** What a loop over changes has yet to tell, over areas that come and go. */
import { AreaFeed } from 'memfd-native'
import t from 'tap'
import type { StoreChange } from '../../src/index.ts'
import { leakChecked, publishedStore, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

const DIVISIONS = [['b*'], ['a*', 'b*', 'c*'], ['c*', 'b*'], [], ['z'], ['z']]

for (const initial of [true, false]) {
  const title = 'a loop goes on when the store has more areas, and fewer, and hears of what has changed alone'
  t.test(`${title}${initial ? ', with initial' : ''}`, async (t) => {
    const { owner, store } = await publishedStore(t)
    const keys = ['a', 'b', 'c', 'z'].flatMap((letter) => [letter, `${letter}/1`, `${letter}/2`])
    for (const key of keys) owner.set(key, 'before')
    const changes = store.changes('', { initial })
    if (initial) for (const _ of keys) await changes.next()
    for (const [number, areas] of DIVISIONS.entries()) {
      owner.setAreas([...areas, '*'].map((pattern) => ({ keys: [pattern] })))
      for (const key of ['b', 'z']) owner.set(key, number)
      owner.delete(number % 2 === 0 ? 'c' : 'b/1')
      owner.set(number % 2 === 0 ? 'b/1' : 'c', number)
      owner.set('end', number)
      const told: [string, unknown][] = []
      while (told.at(-1)?.[0] !== 'end') {
        const { value } = await changes.next()
        told.push([value?.key ?? '', value?.value])
      }
      const [gone, there] = number % 2 === 0 ? ['c', 'b/1'] : ['b/1', 'c']
      const expected = [
        ['b', number],
        ['z', number],
        [gone, undefined],
        [there, number],
        ['end', number],
      ]
      t.same(told.sort(), expected.sort(), `${areas}`)
    }
    await changes.return()
  })
}

t.test('a deletion is told also when the key has a value again, and when that goes too, in another area', async (t) => {
  const { owner, store } = await publishedStore(t)
  const changes = store.changes()
  const told = async () => {
    const { value } = await changes.next()
    return [value?.key, value?.value]
  }
  owner.set('k', 1)
  t.same(await told(), ['k', 1])
  owner.set('other', 1)
  owner.delete('k')
  t.same(await told(), ['other', 1])
  owner.set('k', 2)
  const next = told() // before the notice of what comes
  owner.delete('k')
  owner.resize({ capacity: 8 * 1024 * 1024 })
  owner.set('end', 1)
  const all = [await next]
  while (all.at(-1)?.[0] !== 'end') all.push(await told())
  t.same(all[0], ['k', undefined])
  await changes.return()
})

t.test('a value that was told before the feed has it is not told again, however many polls that takes', async (t) => {
  const count = 6000
  const { owner, store } = await publishedStore(t, { maxKeys: 2 * count, capacity: 16 * 1024 * 1024 })
  const changes = store.changes()
  const versions = new Map<string, bigint>()
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < count; i++) owner.set(`k${i}`, round)
    owner.set('end', round)
    for (let taken = 0; ; taken++) {
      const { value } = await changes.next()
      const { key, version } = value as StoreChange
      if (versions.get(key) === version) t.fail(`${key} was told twice`)
      versions.set(key, version)
      if (key === 'end' && value?.value === round) break
      if (taken % 1000 === 500) for (let i = 0; i < 50; i++) owner.set(`k${(taken + 97 * i) % count}`, 'more')
    }
  }
  const last = new Map(store.keys().map((key) => [key, store.getEntry(key).version]))
  while ([...last].some(([key, version]) => versions.get(key) !== version)) {
    const { key, version } = (await changes.next()).value as StoreChange
    if (versions.get(key) === version) t.fail(`${key} was told twice`)
    versions.set(key, version)
  }
  await changes.return()
})

t.test('a loop that begins takes no key out of the area, however many there are, and misses no deletion', async (t) => {
  const count = 3000
  const { owner, store } = await publishedStore(t, { maxKeys: count })
  for (let i = 0; i < count; i++) owner.set(`k${i}`, i)
  const polls = t.capture(AreaFeed.prototype, 'poll', AreaFeed.prototype.poll)
  const changes = store.changes()
  t.same(polls(), [])
  owner.delete('k2999')
  const version = owner.set('new', 1) // in its place
  const told = [(await changes.next()).value, (await changes.next()).value]
  t.match(
    told.sort((a, b) => ((a?.key ?? '') < (b?.key ?? '') ? -1 : 1)),
    [
      { key: 'k2999', value: undefined },
      { key: 'new', value: 1, version },
    ],
  )
  const answers = polls().map((call) =>
    'returned' in call && typeof call.returned === 'object' ? call.returned : null,
  )
  t.same(answers.flatMap((answer) => answer?.changes ?? []).length, 2)
  await changes.return()
})
