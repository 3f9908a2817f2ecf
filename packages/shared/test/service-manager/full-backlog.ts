/** A registry that has too many waiting at its door is not away: who connects waits, too. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { accept, bind, connect, constants, Hub, listen, type OwnedFd, socket } from 'memfd-native'
import t, { type Test } from 'tap'
import { ServiceManager } from '../../src/service-manager/service-manager.ts'
import { errorCode } from '../../src/util/errors.ts'
import { leakChecked } from '../../test-support/leaks.ts'
import { watchdog } from '../../test-support/watchdog.ts'

Hub.current() // lives as long as the thread: its descriptors are no leak of a test
leakChecked(t)
watchdog(t)

/** A listener whose backlog is full. */
function fullListener(t: Test): { path: string; listener: OwnedFd } {
  const folder = mkdtempSync(join(tmpdir(), 'memsvc-'))
  const path = join(folder, 'registry.sock')
  const listener = socket(constants.SOCK_SEQPACKET)
  const waiting: OwnedFd[] = []
  t.teardown(() => {
    for (const fd of [listener, ...waiting]) fd.close()
    rmSync(folder, { recursive: true })
  })
  bind(listener, path)
  listen(listener, 0)
  for (let isFull = false; !isFull; ) {
    const client = socket(constants.SOCK_SEQPACKET)
    waiting.push(client)
    try {
      connect(client, path)
    } catch (error) {
      if (errorCode(error) !== 'EAGAIN') throw error
      isFull = true
    }
  }
  return { path, listener }
}

t.test('connecting waits until there is room', async (t) => {
  const { path, listener } = fullListener(t)
  let isConnected = false
  const connecting = ServiceManager.connect({ path }).then((manager) => {
    isConnected = true
    return manager
  })
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(isConnected, false)
  const accepted = accept(listener)
  const manager = await connecting
  t.equal(manager.isConnected, true)
  manager.close()
  accepted?.close()
})
