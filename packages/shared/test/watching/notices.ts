/** Who is told of a change, how often, and in which turn of the event loop: with watchers of this process, which are told by a call. */
import t from 'tap'
import { type ImplementationOf, IWatcher } from '../../src/index.ts'
import * as support from '../../test-support/index.ts'

const { Notices, NoticeGroup } = support
const PORTION = 4

class Watcher extends IWatcher.Stub implements ImplementationOf<typeof IWatcher>, support.Told {
  readonly callback = this
  readonly tellHere = () => this.onChange()
  toldOf = 0
  notices = 0

  onChange(): void {
    this.notices += 1
  }
}

type Group = support.NoticeGroup<Watcher>
const groupOf = (count: number): { group: Group; watchers: Watcher[] } => {
  const group: Group = new NoticeGroup()
  const watchers = Array.from({ length: count }, () => new Watcher())
  for (const watcher of watchers) group.add(watcher)
  return { group, watchers }
}
const told = (watchers: readonly Watcher[]) => watchers.reduce((sum, { notices }) => sum + notices, 0)
const turn = () => new Promise(setImmediate)

t.test('a portion is told at once, and one in each turn after that; everybody once', async (t) => {
  const notices = new Notices<Watcher>(PORTION)
  const { group, watchers } = groupOf(10)
  notices.changed([group])
  const seen = [told(watchers)]
  for (let i = 0; i < 4; i++) {
    await turn()
    seen.push(told(watchers))
  }
  t.strictSame(seen, [4, 8, 10, 10, 10])
  t.ok(watchers.every((watcher) => watcher.notices === 1 && group.standingOf(watcher) === 'told'))
  t.equal(group.hasDue, false)
})

t.test('while a portion is due, changes tell nobody more in the same turn', async (t) => {
  const notices = new Notices<Watcher>(PORTION)
  const [first, second] = [groupOf(6), groupOf(6)]
  for (let i = 0; i < 5; i++) notices.changed([first.group, second.group])
  const all = [...first.watchers, ...second.watchers]
  const seen = [told(all)]
  for (let i = 0; i < 4; i++) {
    await turn()
    seen.push(told(all))
  }
  t.strictSame(seen, [4, 8, 12, 12, 12])
  t.ok(all.every((watcher) => watcher.notices === 1))
})

t.test('a watcher that has not acknowledged gets no notice, and then one for everything that it missed', async (t) => {
  const notices = new Notices<Watcher>(PORTION)
  const { group, watchers } = groupOf(1)
  const [watcher] = watchers as [Watcher]
  notices.acknowledge(watcher, group)
  await turn()
  t.equal(watcher.notices, 0, 'there was nothing to hear')
  notices.changed([group])
  for (let i = 0; i < 3; i++) notices.changed([group])
  await turn()
  t.equal(watcher.notices, 1)
  notices.acknowledge(watcher, group)
  t.equal(group.standingOf(watcher), 'due')
  notices.acknowledge(watcher, group)
  await turn()
  await turn()
  t.equal(watcher.notices, 2, 'once for what came meanwhile')
  notices.acknowledge(watcher, group)
  t.equal(group.standingOf(watcher), 'up to date')
  await turn()
  t.equal(watcher.notices, 2)
  notices.changed([group])
  t.equal(watcher.notices, 3)
})

t.test('some are due and others up to date when there is news: each is told once', async (t) => {
  const notices = new Notices<Watcher>(PORTION)
  const { group, watchers } = groupOf(6)
  notices.changed([group]) // 4 are told, 2 are due
  for (const watcher of watchers) notices.acknowledge(watcher, group)
  notices.changed([group])
  for (let i = 0; i < 4; i++) await turn()
  t.strictSame(
    watchers.map((watcher) => watcher.notices),
    [2, 2, 2, 2, 1, 1],
  )
  notices.changed([group])
  await turn()
  t.equal(told(watchers), 10, 'nobody has acknowledged')
  t.ok(watchers.every((watcher) => group.standingOf(watcher) === 'told'))
})

t.test('a watcher that leaves while its notice is due gets none, and the others do', async (t) => {
  const notices = new Notices<Watcher>(PORTION)
  const { group, watchers } = groupOf(8)
  notices.changed([group])
  const left = watchers.filter((watcher) => group.standingOf(watcher) === 'due').slice(0, 2)
  for (const watcher of left) group.delete(watcher)
  for (let i = 0; i < 3; i++) await turn()
  t.equal(told(left), 0)
  t.equal(told(watchers), 6)
  const late = groupOf(1)
  notices.changed([late.group, group])
  await turn()
  t.equal(told(left), 0, 'nor of the next change')
  const [early] = late.watchers as [Watcher]
  notices.acknowledge(early, late.group)
  late.group.delete(early)
  notices.changed([late.group])
  await turn()
  t.equal(early.notices, 1, 'nor does one that leaves while it is up to date')
  const other = groupOf(5)
  notices.changed([other.group])
  for (const watcher of other.watchers) other.group.delete(watcher)
  await turn()
  t.equal(told(other.watchers), 4)
})

t.test('a watcher that changes its group keeps its state', async (t) => {
  const notices = new Notices<Watcher>(1)
  const { group, watchers } = groupOf(3)
  notices.changed([group])
  const [first, second, third] = watchers as [Watcher, Watcher, Watcher]
  t.strictSame(
    watchers.map((watcher) => group.standingOf(watcher)),
    ['told', 'due', 'due'],
  )
  const fourth = new Watcher()
  group.add(fourth)
  const next: Group = new NoticeGroup()
  for (const watcher of [first, second, third, fourth]) {
    const standing = group.standingOf(watcher)
    group.delete(watcher)
    next.add(watcher, standing)
    t.equal(next.standingOf(watcher), standing)
    notices.tellSoon(next)
  }
  for (let i = 0; i < 4; i++) await turn()
  t.strictSame(
    [first, second, third, fourth].map((watcher) => watcher.notices),
    [1, 1, 1, 0],
  )
  notices.acknowledge(first, next)
  await turn()
  t.equal(first.notices, 2, 'it may have missed something on the way')
  notices.acknowledge(first, next)
  await turn()
  t.equal(first.notices, 2)
  notices.acknowledge(second, next)
  notices.changed([next])
  for (let i = 0; i < 3; i++) await turn()
  t.strictSame([second.notices, fourth.notices], [2, 1])
})

t.test('groups without anybody cost nobody anything', async (t) => {
  const notices = new Notices<Watcher>(PORTION)
  const { group, watchers } = groupOf(2)
  notices.changed([])
  notices.changed([new NoticeGroup(), group, new NoticeGroup()])
  t.equal(told(watchers), 2)
  notices.tellSoon(group)
  await turn()
  t.equal(told(watchers), 2)
})
