/** What a loop over changes has yet to tell, over areas that come and go. */
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
