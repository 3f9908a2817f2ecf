/** A host that is given another listener: it listens there, and nowhere else. */
import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import { bind, connect, constants, Hub, listen, type OwnedFd, socket } from 'memfd-native'
import t, { type Test } from 'tap'
import * as support from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)
Hub.current() // keeps a descriptor for as long as the thread lives

function listener(t: Test, folder: string, name: string): { fd: OwnedFd; path: string } {
  const path = support.nodePath.join(folder, name)
  const fd = socket(constants.SOCK_SEQPACKET)
  t.teardown(() => fd.close())
  bind(fd, path)
  listen(fd)
  return { fd, path }
}

/** Why a client is not taken; null: it is. */
function refusal(path: string): string | null {
  using client = socket(constants.SOCK_SEQPACKET)
  try {
    connect(client, path)
    return null
  } catch (error) {
    return (error as { code: string }).code
  }
}

t.test('the listener of before is closed', async (t) => {
  const folder = support.nodeFs.mkdtempSync(support.nodePath.join(support.nodeOs.tmpdir(), 'memsvc-'))
  t.teardown(() => support.nodeFs.rmSync(folder, { recursive: true }))
  const gate = new support.Gate()
  gate.open()
  const [first, second] = [listener(t, folder, 'first'), listener(t, folder, 'second')]
  const host = new support.RegistryHost({
    listener: first.fd,
    ledger: support.makeLedger(process.getuid?.() ?? 0),
    log: { peers: new support.PeerLog({} as never) } as never, // nothing is to be said
    access: new support.Access(process.getuid?.() ?? 0, { rules: [], writers: new support.People() }),
    gate,
  })
  t.teardown(() => host.close())
  t.equal(refusal(first.path), null)
  host.listenOn(second.fd)
  t.strictSame([refusal(first.path), refusal(second.path)], ['ECONNREFUSED', null])
  host.close()
  t.equal(refusal(second.path), 'ECONNREFUSED')
})
