/** Who may do what, as a table of rules. */
import { leakChecked } from '@memsvc/shared/test-support'
import t from 'tap'
import { ACTIONS, Access, type AccessRule, type Action } from '../../src/access/access.ts'
import { findPeople, People } from '../../src/access/people.ts'

const OWN = 1000
const ROOT = 0
const ALICE = 2000
const BOB = 2001
const NO_USER = 4294967295

leakChecked(t)

const people = async (...names: (string | number)[]) => findPeople(names)

/** The actions that are allowed. */
function allowed(access: Access, name: string, uid: number, groups: number[] = []): Action[] {
  return ACTIONS.filter((action) => access.allows(action, name, { uid, groups }))
}

t.test('without rules all may find, and only the own user and root may do more', async (t) => {
  const access = new Access(OWN, { rules: [], writers: new People() })
  for (const uid of [OWN, ROOT]) t.strictSame(allowed(access, 'any', uid), ['add', 'find', 'write'])
  for (const uid of [ALICE, NO_USER]) t.strictSame(allowed(access, 'any', uid), ['find'])
})

t.test('a writer may write whatever the rules say, and nothing more', async (t) => {
  const rules = [{ names: ['*'], people: { write: new People() } }]
  const access = new Access(OWN, { rules, writers: await people(ALICE) })
  t.strictSame(allowed(access, 'any', ALICE), ['find', 'write'])
  t.strictSame(allowed(access, 'any', BOB), ['find'])
})

t.test('the own user and root are never kept out', async (t) => {
  const nobody = new People()
  const rules = [{ names: ['*'], people: { add: nobody, find: nobody, write: nobody } }]
  const access = new Access(OWN, { rules, writers: nobody })
  for (const uid of [OWN, ROOT]) t.strictSame(allowed(access, 'any', uid), ['add', 'find', 'write'])
  t.strictSame(allowed(access, 'any', ALICE), [])
})

t.test('for each action the first rule decides that has the name and the action', async (t) => {
  const rules: AccessRule[] = [
    { names: ['exact'], people: { write: await people(ALICE) } },
    { names: ['e*', 'other'], people: { write: await people(BOB), find: await people(BOB) } },
    { names: ['*'], people: { write: await people('*'), add: await people('@77') } },
  ]
  const access = new Access(OWN, { rules, writers: new People() })
  t.strictSame(allowed(access, 'exact', ALICE), ['write'], 'find is decided by the second rule')
  t.strictSame(allowed(access, 'exact', BOB), ['find'])
  t.strictSame(allowed(access, 'exactly', BOB), ['find', 'write'])
  t.strictSame(allowed(access, 'other', ALICE), [])
  t.strictSame(allowed(access, 'others', ALICE), ['find', 'write'])
  t.strictSame(allowed(access, 'exact', BOB, [77]), ['add', 'find'], 'by a group')
})

t.test('rules may be exchanged', async (t) => {
  const access = new Access(OWN, { rules: [], writers: new People() })
  access.rules = { rules: [{ names: ['*'], people: { find: new People() } }], writers: new People() }
  t.strictSame(allowed(access, 'any', ALICE), [])
})
