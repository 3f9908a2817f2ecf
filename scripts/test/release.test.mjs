/** A release that would fail in its last step is refused before its first. */
import t from 'tap'
import { nodeChildProcess, nodePath } from './support/node.mjs'
import { readRelease, repositoryRoot } from './support/packages.mjs'

const ADDRESS = 'https://example.org/owner/name'
const release = (line, env = {}) => readRelease(line.split(' ').filter(Boolean), '0.9.0', env)

t.test('a version is asked for, or a dry run', async (t) => {
  t.match(release('1.2.3'), { version: '1.2.3', publishes: false, address: null, refusal: null })
  t.match(release('1.2.3-rc.1 --dry-run'), { version: '1.2.3-rc.1', publishes: false, refusal: null })
  t.match(release('--dry-run'), { version: '0.9.0', refusal: null })
  for (const line of ['', 'one', '1.2', '1.2.3 1.2.4', '1.2.3 --dry-run --publish', '1.2.3 --publsh', '--publish'])
    t.match(release(line).refusal, /^usage: /, line)
})

t.test('the address of the sources is the one in package.json', async (t) => {
  for (const told of [ADDRESS, `${ADDRESS}/`, `${ADDRESS}.git`])
    t.match(release(`1.2.3 --repository ${told}`), { address: `git+${ADDRESS}.git`, refusal: null })
  for (const told of ['http://example.org/owner/name', 'git@example.org:owner/name.git', 'https://example.org', 'x'])
    t.match(release(`1.2.3 --repository ${told}`).refusal, /^usage: /, told)
})

t.test('without their address, or a CI that npm knows, nothing is published', async (t) => {
  const identified = { ACTIONS_ID_TOKEN_REQUEST_URL: 'https://example.org' }
  t.match(release('1.2.3 --publish', identified).refusal, /--repository https:/)
  t.match(release(`1.2.3 --publish --repository ${ADDRESS}`).refusal, /workflow "release"/)
  t.match(release(`1.2.3 --publish --repository ${ADDRESS}`, identified), { publishes: true, refusal: null })
})

t.test('the command says why, and has done nothing', async (t) => {
  const script = nodePath.join(repositoryRoot, 'scripts/release.mjs')
  const { PATH } = process.env
  const run = nodeChildProcess.spawnSync(process.execPath, [script, '1.2.3', '--publish'], {
    env: { PATH },
    encoding: 'utf8',
  })
  t.match(run, { status: 2, stdout: '', stderr: /--repository https:/ })
})
