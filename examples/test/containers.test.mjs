/** A client in a container that is made of namespaces, where this machine lets us make some. */
import { spawnSync } from 'node:child_process'
import t from 'tap'
import { leakChecked, newRegistryPath, watchdog } from '../../packages/shared/dist/test-support/harness.js'
import { runExample } from './support/programs.mjs'

watchdog(t)
leakChecked(t)

const { status } = spawnSync('unshare', ['--user', '--map-root-user', '--mount', '--net', 'true'])
const skip = status === 0 ? false : 'no user namespaces here'

t.test('a client in a container reads, watches, and follows the next daemon', { skip }, async (t) => {
  const env = { PATH: process.env.PATH }
  const { code, stdout, stderr } = await runExample(t, 'containers/main.mjs', [], newRegistryPath(t), { env })
  t.same({ code, stderr }, { code: 0, stderr: '' })
  t.match(stdout, /^the container reads "red"\nit says: .* watching SharedStore .*\nit sees colour "green"\n/)
  t.match(stdout, /after a restart of the daemon it sees colour "blue"$/)
})
