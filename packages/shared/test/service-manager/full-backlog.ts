/** A registry that has too many waiting at its door is not away: who connects waits, too. */

import { accept, bind, connect, constants, Hub, listen, type OwnedFd, recvmsg, socket } from 'memfd-native'
import t, { type Test } from 'tap'
import { errorCode, ServiceManager } from '../../src/index.ts'
import { leakChecked, nodeFs, nodeOs, nodePath, watchdog } from '../../test-support/index.ts'

Hub.current() // lives as long as the thread: its descriptors are no leak of a test
leakChecked(t)
watchdog(t)

/** A listener whose backlog is full; `fill` makes it so again. */
function fullListener(t: Test): { path: string; listener: OwnedFd; fill: () => void } {
  const folder = nodeFs.mkdtempSync(nodePath.join(nodeOs.tmpdir(), 'memsvc-'))
  const path = nodePath.join(folder, 'registry.sock')
  const listener = socket(constants.SOCK_SEQPACKET)
  const waiting: OwnedFd[] = []
  t.teardown(() => {
    for (const fd of [listener, ...waiting]) fd.close()
    nodeFs.rmSync(folder, { recursive: true })
  })
  bind(listener, path)
  listen(listener, 0)
  const fill = () => {
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
  }
  fill()
  return { path, listener, fill }
}

/** The next one who said something: its HELLO. Those who only fill the backlog are closed. */
async function acceptSpeaker(listener: OwnedFd): Promise<OwnedFd> {
  for (;;) {
    const accepted = accept(listener)
    try {
      if (accepted !== null && recvmsg(accepted, 64, 0, constants.MSG_DONTWAIT).data.length > 0) return accepted
    } catch (error) {
      if (errorCode(error) !== 'EAGAIN') throw error
    }
    accepted?.close()
    await new Promise((resolve) => setImmediate(resolve))
  }
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

t.test('asking to be told of a name, by a link that has to be made anew, waits until there is room', async (t) => {
  const { path, listener, fill } = fullListener(t)
  const connecting = ServiceManager.connect({ path })
  const first = await acceptSpeaker(listener)
  const manager = await connecting
  t.teardown(() => manager.close())
  fill()
  first.close()
  while (manager.isConnected) await new Promise((resolve) => setTimeout(resolve, 1))

  const asking = manager.registerForNotifications('name', () => {})
  const refused = asking.then(
    () => 'done',
    (error: unknown) => errorCode(error),
  )
  const second = await acceptSpeaker(listener)
  second.close()
  t.equal(await refused, 'ERR_DEAD_OBJECT', 'it was connected, and asked')
})
