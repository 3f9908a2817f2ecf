import { readFileSync, statSync } from 'node:fs'
import t from 'tap'
import { constants, isDumpable, reopen, setDumpable } from '../src/index.ts'
import { codeOf } from '../test-support/code-of.ts'
import { leakChecked } from '../test-support/leaks.ts'
import { sizedMemfd } from '../test-support/memfd.ts'

leakChecked(t)
t.teardown(() => setDumpable(true))

t.test('a process that is not dumpable belongs to root in /proc, and still reopens its own files', async (t) => {
  t.ok(isDumpable())
  setDumpable(false)
  t.notOk(isDumpable())
  t.equal(statSync('/proc/self/mem').uid, 0)
  using memfd = sizedMemfd()
  t.equal(
    codeOf(() => reopen(memfd, constants.O_RDONLY)),
    'ok',
  )
  setDumpable(true)
  t.ok(isDumpable())
  t.equal(readFileSync('/proc/self/comm', 'utf8').length > 0, true)
})

t.test('setDumpable takes a boolean only', async (t) => {
  t.equal(
    codeOf(() => setDumpable(1 as unknown as boolean)),
    'ERR_INVALID_ARG_TYPE',
  )
})
