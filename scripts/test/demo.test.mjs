/** `npm start`'s second half: what a newcomer sees first. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { leakChecked, runProgram, watchdog } from '../../packages/shared/dist/test-support/harness.js'
import { repositoryRoot } from '../lib/workspace.mjs'

watchdog(t)
leakChecked(t)

t.test('the demo shows one memory in two processes, and leaves nothing behind', async (t) => {
  const folder = t.testdir()
  const { code, stdout, stderr } = await runProgram(join(repositoryRoot, 'scripts/demo.mjs'), [], {
    env: { TMPDIR: folder },
  })
  t.equal(code, 0, stderr)
  t.match(stdout, /^ +inode +(\d+) +\1$/m)
  t.match(stdout, /^ +seals .*SHRINK.*FUTURE_WRITE/m)
  t.match(stdout, /\n {3}42\n {3}43\n {3}44\n/)
  t.same(readdirSync(folder), [])
})
