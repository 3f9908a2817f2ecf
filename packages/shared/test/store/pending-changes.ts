/** What a loop over changes has yet to tell, over areas that come and go. */
import { AreaFeed } from 'memfd-native'
import t from 'tap'
import { leakChecked, publishedStore, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

t.test('a loop goes on when the store has more areas, and when it has fewer', async (t) => {
  const { owner, store } = await publishedStore(t)
  const changes = store.changes()
  for (const areas of [['b*'], ['a*', 'b*', 'c*'], []]) {
    const last = new Map<string, unknown>()
    let next = changes.next()
    owner.setAreas([...areas, '*'].map((pattern) => ({ keys: [pattern] })))
    for (const key of ['b', 'z']) owner.set(key, areas.length)
    // What has moved to another area may be told once more.
    while (last.get('b') !== areas.length || last.get('z') !== areas.length) {
      const { value } = await next
      last.set(value?.key ?? '', value?.value)
      next = changes.next()
    }
    t.same([last.get('b'), last.get('z')], [areas.length, areas.length])
    owner.set('end', areas.length)
    while ((await next).value?.key !== 'end') next = changes.next()
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
