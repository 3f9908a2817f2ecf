/** Three machines on one, and the cable of one is pulled. */
import { spawnSync } from 'node:child_process'
import t from 'tap'
import { leakChecked, watchdog } from '../../packages/shared/dist/test-support/harness.js'
import { runExample } from './support/programs.mjs'

/** Fifteen commands, and a machine that has much else to do is slow. */
const FILE_MS = 1_200_000
t.setTimeout(FILE_MS)
watchdog(t, FILE_MS)
leakChecked(t)

const skip = spawnSync('etcd', ['--version']).status === 0 ? false : 'needs etcd (Debian: etcd-server)'

t.test('the story of the rate limit ends as it is told', { skip }, async (t) => {
  const { code, stdout, stderr } = await runExample(t, 'cluster/main.mjs', [], '')
  t.equal(code, 0, stderr)
  const [before = '', away = '', after = ''] = stdout.split(/^# .*$/m)
  t.match(before, /machine-3\$ memclient read limits\.rps\n {2}400/)
  t.match(away, /--max-age 5s\n {2}memclient: the copy in ClusterStore is .* s old \(stale\)\n {2}\(exit 5\)/)
  t.match(away, /--json\n {2}\{"key":"limits\.rps","value":400,.*"state":"stale","ageMs":\d+,"revision":\d+,/)
  t.match(away, /machine-3\$ memclient read limits\.rps\n {2}400\n/)
  t.match(away, /machine-3\$ memclient write 1 limits\.rps\n {2}memclient: .*\n {2}\(exit 5\)/)
  t.match(after, /machine-2\$ memclient read limits\.rps\n {2}200/)
})
