/** Services and registries in user namespaces, where one user has two numbers. */

import { leakChecked, newRegistryPath, otherUserProblem, startCommand, watchdog } from '@memsvc/shared/test-support'
import t, { type Test } from 'tap'
import { MEMCLIENT, MEMSVC, nodeChildProcess, nodeFs, nodePath, startMemsvc } from '../../test-support/index.ts'

const UID = 1234
const INSIDE = ['unshare', '-U', '-r']
const problem = otherUserProblem(MEMSVC)
const skip =
  problem || nodeChildProcess.spawnSync('unshare', ['-U', '-r', 'true'], { uid: UID, gid: UID }).status !== 0
    ? problem || 'may not make user namespaces'
    : false

watchdog(t)
leakChecked(t)

function run(t: Test, command: readonly string[]) {
  const program = startCommand(command, { uid: UID })
  t.teardown(() => program.destroy())
  return program
}

async function startOutside(t: Test): Promise<string> {
  const registry = newRegistryPath(t)
  nodeFs.chownSync(nodePath.dirname(registry), UID, UID)
  await startMemsvc(t, { registry, uid: UID })
  return registry
}

t.test('a service that the registry knows by another uid is refused, with the reason', { skip }, async (t) => {
  const registry = await startOutside(t)
  const args = ['--registry', registry]
  const { code, stderr } = await run(t, [...INSIDE, process.execPath, MEMSVC, 'start', '--name', 'inner', ...args])
    .ending
  t.equal(code, 4)
  t.match(stderr, `the registry sees this process as uid ${UID}, but here it is uid 0`)
  const list = await run(t, [process.execPath, MEMCLIENT, 'list', ...args]).ending
  t.equal(list.stdout, 'AnonymousSharedMemory\nSharedStore', 'those of the daemon outside')
})

t.test('reading from inside works, where the path is said', { skip }, async (t) => {
  const registry = await startOutside(t)
  const read = await run(t, [...INSIDE, process.execPath, MEMCLIENT, 'read', '--registry', registry]).ending
  t.match(read, { code: 0, stdout: '0' }, read.stderr)
})

t.test('a registry inside serves those inside', { skip }, async (t) => {
  const registry = newRegistryPath(t)
  nodeFs.chownSync(nodePath.dirname(registry), UID, UID)
  const both = `${process.execPath} ${MEMSVC} start --registry ${registry} & d=$!; for i in $(seq 100); do [ -S ${registry} ] && break; sleep 0.1; done; ${process.execPath} ${MEMCLIENT} read --registry ${registry}; kill $d; wait $d`
  t.equal((await run(t, [...INSIDE, 'sh', '-c', both]).ending).stdout, '0')
})
