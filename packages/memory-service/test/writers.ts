import { execFileSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { leakChecked } from '@memsvc/shared/test-support'
import t from 'tap'
import { parseWriters } from '../src/writers.ts'

const OWN = 1000
const ROOT = 0
const STRANGER = 2000
const NO_USER = 4294967295

leakChecked(t)

/** The entries of a database of this machine, split at their colons. */
function getent(...args: string[]): string[][] {
  const text = execFileSync('getent', args, { encoding: 'utf8' })
  return text
    .trim()
    .split('\n')
    .map((line) => line.split(':'))
}

t.test('the own user and root may write, nobody else', async (t) => {
  const writers = parseWriters([], OWN)
  t.ok(writers.allows(OWN))
  t.ok(writers.allows(ROOT))
  t.notOk(writers.allows(STRANGER))
  t.notOk(writers.allows(NO_USER), 'who has no identity')
})

t.test('each rule lets in whom it names, and only those', async (t) => {
  const writers = parseWriters([String(STRANGER), String(STRANGER + 2), '4294967294'], OWN)
  const uids = [STRANGER, STRANGER + 1, STRANGER + 2, 4294967294, NO_USER]
  t.strictSame(
    uids.map((uid) => writers.allows(uid)),
    [true, false, true, true, false],
  )
})

t.test('a name lets in that user', async (t) => {
  const { username, uid } = userInfo()
  t.ok(parseWriters([username], OWN).allows(uid))
})

t.test('@ and a name lets in those whose primary group it is', async (t) => {
  const { uid, gid } = userInfo()
  const name = getent('group', String(gid))[0]?.[0]
  t.ok(parseWriters([`@${name}`], OWN).allows(uid))
})

const crowd = getent('group').find(([, , , members]) => members !== undefined && members !== '')
t.test(
  '@ and a name lets in all members of that group',
  { skip: crowd ? false : 'no group has members here' },
  async (t) => {
    const writers = parseWriters([`@${crowd?.[0]}`], OWN)
    for (const member of crowd?.[3]?.split(',') ?? []) {
      t.ok(writers.allows(Number(getent('passwd', member)[0]?.[2])), member)
    }
  },
)

t.test('a member of a group who is gone keeps nobody else out', async (t) => {
  const script = [
    '#!/bin/sh',
    'case "$*" in',
    '"group crowd") echo crowd:x:77:gone,alive;;',
    '"passwd alive") echo alive:x:2000:1::/:;;',
    'passwd) echo first:x:2001:77::/:;;',
    '*) exit 2;;',
    'esac',
  ]
  const folder = t.testdir({ getent: script.join('\n') })
  chmodSync(join(folder, 'getent'), 0o755)
  const path = process.env.PATH
  process.env.PATH = `${folder}:${path}`
  t.teardown(() => {
    process.env.PATH = path
  })
  const writers = parseWriters(['@crowd'], OWN)
  t.strictSame(
    [2000, 2001, 2002].map((uid) => writers.allows(uid)),
    [true, true, false],
  )
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
    t.throws(() => parseWriters([rule], OWN), { code, message: /^a writer/ })
  })
}
