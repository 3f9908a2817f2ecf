import t from 'tap'
import { repositoryRoot } from '../lib/workspace.mjs'
import { nodeChildProcess, nodeFs, nodePath, nodeUtil } from './support/node.mjs'

const { execFile, spawnSync } = nodeChildProcess
const { existsSync } = nodeFs
const { join } = nodePath
const { promisify } = nodeUtil

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
