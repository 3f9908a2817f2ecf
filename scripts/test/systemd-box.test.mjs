import { execFile, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { repositoryRoot } from '../lib/workspace.mjs'

const selfTest = join(repositoryRoot, 'scripts/systemd-box/self-test')

function reasonToSkip() {
  if (process.getuid() !== 0) return 'needs root'
  if (!existsSync('/lib/systemd/systemd')) return 'needs the package systemd'
  return spawnSync('unshare', ['--mount', '--pid', '--fork', 'true']).status === 0 ? false : 'needs CAP_SYS_ADMIN'
}

t.test('a systemd box boots, runs a unit, and leaves nothing behind', { skip: reasonToSkip() }, async (t) => {
  const { stdout } = await promisify(execFile)(selfTest)
  t.match(stdout, 'left nothing')
})
