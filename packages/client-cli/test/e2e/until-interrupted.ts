/** Commands that run until they are interrupted: their end is regular from the beginning, while they look for their service too. */
import { leakChecked, newRegistryPath, watchdog } from '@memsvc/shared/test-support'
import { bind, constants, FdWatcher, listen, socket } from 'memfd-native'
import t, { type Test } from 'tap'
import { startMemclient } from '../../test-support/index.ts'

watchdog(t)
leakChecked(t)

/** A registry that answers nobody. `visited` is when somebody has come. */
function silentRegistry(t: Test) {
  const registry = newRegistryPath(t)
  const listener = socket(constants.SOCK_SEQPACKET)
  t.teardown(() => listener.close())
  bind(listener, registry)
  listen(listener)
  const visited = new Promise<void>((resolve) => {
    const watcher = new FdWatcher(listener, 'readable', () => {
      watcher.close()
      resolve()
    })
  })
  return { registry, visited }
}

for (const command of ['watch', 'changes']) {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    t.test(`${signal} is the regular end of ${command} before the registry has answered`, async (t) => {
      const { registry, visited } = silentRegistry(t)
      const program = startMemclient(t, registry, [command])
      await visited
      program.kill(signal)
      t.match(await program.ending, { code: 0, signal: null, stdout: '', stderr: '' })
    })
  }

  t.test(`${command} ends when its reader goes away before the registry has answered`, async (t) => {
    const { registry, visited } = silentRegistry(t)
    const program = startMemclient(t, registry, [command, '--timeout', '1000'])
    await visited
    program.closeStdout()
    t.match(await program.ending, { code: 0, signal: null, stderr: '' })
  })
}
