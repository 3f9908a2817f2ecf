/** The registry's host: what it listens on, and whom its answers tell of. */
import { Binder, type BinderProxy, ServiceManager } from '@memsvc/shared'
import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import { bind, connect, constants, Hub, listen, type OwnedFd, sendmsg, socket, socketpair } from 'memfd-native'
import t, { type Test } from 'tap'
import * as support from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)
Hub.current() // keeps a descriptor for as long as the thread lives

function newFolder(t: Test): string {
  const folder = support.nodeFs.mkdtempSync(support.nodePath.join(support.nodeOs.tmpdir(), 'memsvc-'))
  t.teardown(() => support.nodeFs.rmSync(folder, { recursive: true }))
  return folder
}

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

function startHost(t: Test, listening: OwnedFd) {
  const gate = new support.Gate()
  gate.open()
  const host = new support.RegistryHost({
    listener: listening,
    ledger: support.makeLedger(process.getuid?.() ?? 0),
    log: { peers: new support.PeerLog({ debug: () => {} } as never) } as never, // nothing more is to be said
    access: new support.Access(process.getuid?.() ?? 0, { rules: [], writers: new support.People() }),
    gate,
  })
  t.teardown(() => host.close())
  return host
}

/** Runs `action` right after the hub has received what was sent before this call, and before it receives anything else. */
function inSameBatch(t: Test, action: () => void): Promise<void> {
  const [mine, other] = socketpair(constants.SOCK_SEQPACKET)
  t.teardown(() => other.close())
  return new Promise((resolve) => {
    const onPacket = () => {
      action()
      watched.close()
      resolve()
    }
    const handler = { onPacket, onEnd: () => {}, onWritable: () => {}, onUnsent: () => {} }
    const watched = Hub.current().attach(mine, handler, { acceptsFileDescriptors: false })
    sendmsg(other, Buffer.of(1))
  })
}

t.test('the listener of before is closed', async (t) => {
  const folder = newFolder(t)
  const [first, second] = [listener(t, folder, 'first'), listener(t, folder, 'second')]
  const host = startHost(t, first.fd)
  t.equal(refusal(first.path), null)
  host.listenOn(second.fd)
  t.strictSame([refusal(first.path), refusal(second.path)], ['ECONNREFUSED', null])
  host.close()
  t.equal(refusal(second.path), 'ECONNREFUSED')
})

t.test('a holder that has gone is not found, also by a question that comes in before the news', async (t) => {
  const { fd, path } = listener(t, newFolder(t), 'registry')
  startHost(t, fd)
  const asker = await ServiceManager.connect({ path })
  t.teardown(() => asker.close())
  const questions: [string, () => Promise<unknown>, unknown][] = [
    ['getService', () => asker.getService('mine'), null],
    ['getServiceInfo', () => asker.getServiceInfo('mine'), null],
    ['listServices', () => asker.listServices(), []],
  ]
  for (const [what, ask, answer] of questions) {
    const holder = await ServiceManager.connect({ path })
    await holder.addService('mine', new Binder())
    const before = asker.getService('nobody')
    let found: Promise<unknown> | undefined
    // The kernel tells of the asker first: what it sent before has been received, and is not known to be all yet.
    await inSameBatch(t, () => {
      holder.close()
      found = ask()
    })
    t.strictSame([await before, await found], [null, answer], what)
  }
})

/** Clients that ask at once, more than are served in a turn. */
function askAtOnce(asker: ServiceManager): Promise<BinderProxy | null>[] {
  const { limit } = support.DAEMON_LIMITS.channelsPerTurn
  return Array.from({ length: 4 * limit }, () => asker.getService('mine') as Promise<BinderProxy | null>)
}

/** After how many answers something happens: what waits then has been read, and nothing of it answered. */
const ANSWERS = [1, 8, 15, 16, 17, 24]

t.test('who waits for a turn at a service gets what its holder has published meanwhile', async (t) => {
  const { fd, path } = listener(t, newFolder(t), 'registry')
  startHost(t, fd)
  const [asker, holder] = [await ServiceManager.connect({ path }), await ServiceManager.connect({ path })]
  t.teardown(() => asker.close())
  t.teardown(() => holder.close())
  for (const answers of ANSWERS) {
    await holder.addService('mine', new Binder())
    const asked = askAtOnce(asker)
    await asked[answers - 1]
    await holder.addService('mine', new Binder())
    const found = await Promise.all(asked)
    t.ok(
      found.every((each) => each?.isBinderAlive()),
      `after ${answers}`,
    )
    for (const each of found) each?.close()
  }
})

t.test('who waits for a turn at a service whose holder goes finds its successor, or nobody', async (t) => {
  const { fd, path } = listener(t, newFolder(t), 'registry')
  startHost(t, fd)
  const asker = await ServiceManager.connect({ path })
  t.teardown(() => asker.close())
  for (const answers of ANSWERS) {
    for (const isSucceeded of [false, true]) {
      const [holder, successor] = [await ServiceManager.connect({ path }), await ServiceManager.connect({ path })]
      await holder.addService('mine', new Binder())
      const asked = askAtOnce(asker)
      await asked[answers - 1]
      if (isSucceeded) await successor.addService('mine', new Binder())
      holder.close()
      const found = await Promise.all(asked)
      if (isSucceeded) t.equal(found.at(-1)?.isBinderAlive(), true, `after ${answers}`)
      else t.equal(await asker.getService('mine'), null)
      for (const each of found) each?.close()
      successor.close()
    }
  }
})
