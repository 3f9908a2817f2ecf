import t from 'tap'
import { Access, findPeople, type KeyRule, StoreAccess } from '../../test-support/index.ts'

const [OWN, ALICE, BOB, CAROL] = [1000, 2000, 2001, 2002]
const ALL = null

const people = (...names: (string | number)[]) => findPeople(names)
const who = (uid: number) => ({ uid, pid: 1 })

async function storeAccess(rules: readonly KeyRule[], writers: number[] = []): Promise<StoreAccess> {
  const writing = { names: ['s'], people: { write: await people(CAROL) } }
  return new StoreAccess(new Access(OWN, { rules: [writing], writers: await people(...writers) }), 's', rules)
}

function patternsOf(access: StoreAccess): string[][] {
  return access.areas.map(({ keys }) => keys)
}

t.test('without rules there is one area, which all read, and who may write the store writes', async (t) => {
  const access = await storeAccess([])
  t.strictSame(patternsOf(access), [['*']])
  t.ok(access.areas[0]?.mayRead(who(ALICE)))
  t.strictSame(
    [OWN, 0, CAROL, ALICE].map((uid) => access.mayWrite(who(uid), 'k')),
    [true, true, true, false],
  )
})

t.test('keys with the same readers share an area, wherever the order of the rules allows it', async (t) => {
  const secret = { read: await people(ALICE), write: null }
  const also = { read: await people(ALICE), write: await people(BOB) }
  const open = { read: ALL, write: null }
  const everybody = { read: await people('*'), write: null }
  const areasOf = async (...rules: KeyRule[]) => patternsOf(await storeAccess(rules))
  t.strictSame(await areasOf({ keys: ['s/*'], ...secret }, { keys: ['t'], ...also }), [['s/*', 't'], ['*']])
  t.strictSame(await areasOf({ keys: ['p/*'], ...open }, { keys: ['s/*'], ...secret }), [['s/*'], ['p/*', '*']])
  t.strictSame(await areasOf({ keys: ['p'], ...everybody }), [['p', '*']])
  // The key s/open must be found before s/*, and * after it.
  t.strictSame(await areasOf({ keys: ['s/open'], ...open }, { keys: ['s/*'], ...secret }), [['s/open'], ['s/*'], ['*']])
})

t.test('the first rule that has a key decides; who may not read it may not write it', async (t) => {
  const access = await storeAccess([
    { keys: ['s/*'], read: await people(ALICE), write: await people(ALICE, BOB) },
    { keys: ['s*', 'exact'], read: ALL, write: await people(BOB) },
    { keys: ['none'], read: await people(), write: null },
  ])
  const may = (key: string) => [OWN, ALICE, BOB, CAROL].map((uid) => access.mayWrite(who(uid), key))
  t.strictSame(may('s/k'), [true, true, false, false])
  t.strictSame(may('s'), [true, false, true, false])
  t.strictSame(may('exact'), [true, false, true, false])
  t.strictSame(may('exactly'), [true, false, false, true])
  t.strictSame(may('none'), [true, false, false, false])
})

t.test('--writers write whatever they may read', async (t) => {
  const rules = [
    { keys: ['s/*'], read: await people(ALICE), write: await people() },
    { keys: ['o/*'], read: ALL, write: await people() },
  ]
  const access = await storeAccess(rules, [BOB])
  t.strictSame(
    ['s/k', 'o/k', 'k'].map((key) => access.mayWrite(who(BOB), key)),
    [false, true, true],
  )
})

t.test('the same readers have the same function after other rules were set', async (t) => {
  const access = await storeAccess([{ keys: ['s/*'], read: await people(ALICE, BOB), write: null }])
  const before = access.areas
  access.rules = [{ keys: ['s/*'], read: await people(BOB, ALICE), write: await people(ALICE) }]
  t.strictSame(
    access.areas.map(({ mayRead }, i) => mayRead === before[i]?.mayRead),
    [true, true],
  )
  access.rules = [{ keys: ['s/*'], read: await people(BOB), write: null }]
  t.not(access.areas[0]?.mayRead, before[0]?.mayRead)
  t.strictSame(
    [OWN, 0, BOB, ALICE].map((uid) => access.areas[0]?.mayRead(who(uid))),
    [true, true, true, false],
  )
})
