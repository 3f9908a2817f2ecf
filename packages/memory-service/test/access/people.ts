import { leakChecked } from '@memsvc/shared/test-support'
import t, { type Test } from 'tap'
import { findPeople, type Identity } from '../../src/access/people.ts'
import { nodeChildProcess, nodeFs, nodeOs, nodePath } from '../../test-support/index.ts'

const STRANGER = 2000
const NO_USER = 4294967295

leakChecked(t)

/** The entries of a database of this machine, split at their colons. */
function getent(...args: string[]): string[][] {
  const text = nodeChildProcess.execFileSync('getent', args, { encoding: 'utf8' })
  return text
    .trim()
    .split('\n')
    .map((line) => line.split(':'))
}

/** Whether each of the uids is among those whom the names name. */
async function among(names: readonly (string | number)[], ...uids: number[]): Promise<boolean[]> {
  const people = await findPeople(names)
  return uids.map((uid) => people.includes({ uid }))
}

t.test('nobody is nobody, * is everybody', async (t) => {
  t.strictSame(await among([], 0, STRANGER, NO_USER), [false, false, false])
  t.strictSame(await among(['*'], 0, STRANGER, NO_USER), [true, true, true])
})

t.test('a uid names that user, as a number and in digits', async (t) => {
  const uids = [STRANGER, STRANGER + 1, STRANGER + 2, 4294967294, NO_USER]
  t.strictSame(await among([String(STRANGER), STRANGER + 2, '4294967294'], ...uids), [true, false, true, true, false])
})

t.test('a name names that user', async (t) => {
  const { username, uid } = nodeOs.userInfo()
  t.strictSame(await among([username], uid, STRANGER), [true, false])
})

t.test('@ and a name names those whose primary group it is', async (t) => {
  const { uid, gid } = nodeOs.userInfo()
  const name = getent('group', String(gid))[0]?.[0]
  t.strictSame(await among([`@${name}`], uid, STRANGER), [true, false])
})

const crowd = getent('group').find(([, , , members]) => members !== undefined && members !== '')
t.test(
  '@ and a name names all members of that group',
  { skip: crowd ? false : 'no group has members here' },
  async (t) => {
    const people = await findPeople([`@${crowd?.[0]}`])
    for (const member of crowd?.[3]?.split(',') ?? []) {
      t.ok(people.includes({ uid: Number(getent('passwd', member)[0]?.[2]) }), member)
    }
  },
)

t.test('@ and a gid names whoever runs with that group, whether it has a name or not', async (t) => {
  const people = await findPeople(['@4711'])
  const includes = (who: Identity) => people.includes(who)
  t.ok(includes({ uid: STRANGER, groups: [1, 4711] }))
  t.notOk(includes({ uid: STRANGER, groups: [1, 4712] }))
  t.notOk(includes({ uid: 4711 }), 'a uid is no gid')
})

/** Puts a getent of this shell script before the machine's. */
function fakeGetent(t: Test, ...cases: string[]): void {
  const folder = t.testdir({ getent: ['#!/bin/sh', 'case "$*" in', ...cases, 'esac'].join('\n') })
  nodeFs.chmodSync(nodePath.join(folder, 'getent'), 0o755)
  const path = process.env.PATH
  process.env.PATH = `${folder}:${path}`
  t.teardown(() => {
    process.env.PATH = path
  })
}

t.test('a member of a group who is gone keeps nobody else out', async (t) => {
  fakeGetent(
    t,
    '"group crowd") echo crowd:x:77:gone,alive;;',
    '"passwd alive") echo alive:x:2000:1::/:;;',
    'passwd) echo first:x:2001:77::/:;;',
    '*) exit 2;;',
  )
  t.strictSame(await among(['@crowd'], 2000, 2001, 2002), [true, true, false])
})

t.test('a user database that cannot be listed still names the members of a group', async (t) => {
  fakeGetent(t, '"group crowd") echo crowd:x:77:alive;;', '"passwd alive") echo alive:x:2000:1::/:;;', '*) exit 3;;')
  t.strictSame(await among(['@crowd'], 2000, 2001), [true, false])
})

t.test('a lookup that fails is not taken for a user who is not there', async (t) => {
  fakeGetent(t, '*) exit 1;;')
  await t.rejects(findPeople(['somebody']), { code: 'ERR_INVALID_ARG_VALUE', message: /getent passwd somebody failed/ })
})

const REFUSED: [rule: string, code: string][] = [
  ['nobody-has-this-name', 'ERR_INVALID_ARG_VALUE'],
  ['@nobody-has-this-name', 'ERR_INVALID_ARG_VALUE'],
  ['', 'ERR_INVALID_ARG_VALUE'],
  ['@', 'ERR_INVALID_ARG_VALUE'],
  ['-1', 'ERR_INVALID_ARG_VALUE'],
  ['--help', 'ERR_INVALID_ARG_VALUE'],
  ['@--help', 'ERR_INVALID_ARG_VALUE'],
  ['root:x', 'ERR_INVALID_ARG_VALUE'],
  ['1.5', 'ERR_INVALID_ARG_VALUE'],
  ['4294967295', 'ERR_OUT_OF_RANGE'],
  ['99999999999999999999', 'ERR_OUT_OF_RANGE'],
]

for (const [rule, code] of REFUSED) {
  t.test(`${JSON.stringify(rule)} is refused`, async (t) => {
    await t.rejects(findPeople([rule]), { code })
  })
}
