/**
 * A registry that brings a process ends of new channels: for what was published, as long as there is room, and for nothing
 * else. What is let in is looked at and charged before anything is made of it.
 */

import { accept, bind, constants, dup, FdWatcher, getrlimit, listen, OwnedFd, setrlimit, socket } from 'memfd-native'
import t, { type Test } from 'tap'
import { Binder, type IBinder, type ImplementationOf, LimitError, Parcel, ServiceManager } from '../../src/index.ts'
import * as support from '../../test-support/index.ts'

support.watchdog(t)
support.leakChecked(t)

const uid = process.getuid?.() ?? 0
const CLIENT = { pid: process.pid, uid }
/** Of the last numbers for descriptors, those that no channel to a service gets. */
const KEPT = 12

/** Knows the binders that it was given, and does with them what it is told. */
class FakeRegistry
  extends support.IServiceManager.Stub
  implements Partial<ImplementationOf<typeof support.IServiceManager>>
{
  added: IBinder | null = null
  callback: IBinder | null = null

  addService(_name: string | null, binder: IBinder | null): void {
    this.added = binder
  }

  registerForNotifications(_name: string | null, callback: IBinder | null): void {
    this.callback = callback
  }

  getCallerUid(): number {
    return uid
  }
}

async function connected(t: Test, policy: support.ChannelPolicy) {
  const folder = support.nodeFs.mkdtempSync(support.nodePath.join(support.nodeOs.tmpdir(), 'memsvc-'))
  t.teardown(() => support.nodeFs.rmSync(folder, { recursive: true }))
  const path = support.nodePath.join(folder, 'registry.sock')
  const listener = socket(constants.SOCK_SEQPACKET)
  t.teardown(() => listener.close())
  bind(listener, path)
  listen(listener)
  const manager = await ServiceManager.connectTo(support.findRegistry({ path }), policy)
  t.teardown(() => manager.close())
  const registry = new FakeRegistry()
  const end = accept(listener) as OwnedFd
  const session = new support.Session(end, {
    role: 'server',
    root: registry,
    peerAcceptsFileDescriptors: true,
    caller: CLIENT,
  })
  t.teardown(() => session.close())
  return { manager, registry }
}

/** Brings the binder the end of a new channel. @returns the client's, which is closed with the test */
function attach(t: Test, binder: IBinder | null): OwnedFd {
  const { server, client } = support.makeChannelPair(false)
  t.teardown(() => client.close())
  support.sendAttachment(binder as IBinder, { client: CLIENT, end: server }, false)
  return client
}

/** A client on this end: what a call comes to. */
async function ping(t: Test, end: OwnedFd): Promise<boolean> {
  const client = new support.Session(end, { role: 'client', root: null, peerAcceptsFileDescriptors: false })
  t.teardown(() => client.close())
  using data = Parcel.obtain()
  return support.awake(client.root.transact(Binder.PING_TRANSACTION, data, null))
}

/** The other side has closed its end. */
function ended(end: OwnedFd): Promise<void> {
  return new Promise((resolve) => {
    const watcher = new FdWatcher(end, 'readable', () => {
      watcher.close()
      resolve()
    })
  })
}

t.test('a channel to what was published is served, one to anything else is closed at once', async (t) => {
  const entered: string[] = []
  const policy: support.ChannelPolicy = {
    enter: () => {
      entered.push('enter')
      return { refusal: null, onOpen: () => entered.push('open'), onEnd: () => entered.push('end') }
    },
  }
  const { manager, registry } = await connected(t, policy)
  await manager.registerForNotifications('name', () => {})
  await ended(attach(t, registry.callback))
  t.strictSame(entered, [], 'nobody was asked about a callback')
  await manager.addService('name', new Binder())
  await ended(attach(t, registry.callback))
  t.strictSame(entered, [], 'also not when something was published')
  t.equal(await ping(t, attach(t, registry.added)), true)
  t.strictSame(entered, ['enter', 'open'])
})

t.test(
  'who is not let in is closed before anything is made, who is too many is told when he has said HELLO',
  async (t) => {
    const limit = new LimitError('channels', 1, 1)
    const log: string[] = []
    let isOpen = false
    const policy: support.ChannelPolicy = {
      enter: ({ client: { pid }, end }) => {
        log.push(`${pid === process.pid} ${end instanceof OwnedFd}`)
        if (!isOpen) return null
        return {
          refusal: limit,
          onOpen: () => log.push('open'),
          onEnd: (_pid, reason) => log.push(`end ${reason.name}`),
        }
      },
    }
    const { manager, registry } = await connected(t, policy)
    await manager.addService('name', new Binder())
    await ended(attach(t, registry.added))
    t.strictSame(log, ['true true'])
    isOpen = true
    await t.rejects(ping(t, attach(t, registry.added)), { code: 'ERR_LIMIT', resource: 'channels' })
    t.match(log.slice(1), ['true true', 'open', /^end /])
  },
)

t.test('what comes and is no socket is seen out again', async (t) => {
  const log: string[] = []
  const policy: support.ChannelPolicy = {
    enter: () => ({ refusal: null, onOpen: () => log.push('open'), onEnd: (pid) => log.push(`end ${pid}`) }),
  }
  const { manager, registry } = await connected(t, policy)
  await manager.addService('name', new Binder())
  const warned = new Promise((resolve) => process.once('warning', resolve))
  const file = OwnedFd.adopt(support.nodeFs.openSync(import.meta.filename, 'r'))
  support.sendAttachment(registry.added as IBinder, { client: CLIENT, end: file }, false)
  await support.awake(warned)
  t.strictSame(log, ['end 0'])
})

t.test('the last numbers for descriptors are for no client', async (t) => {
  const { soft, hard } = getrlimit(constants.RLIMIT_NOFILE)
  const files = 256
  setrlimit(constants.RLIMIT_NOFILE, { soft: files, hard })
  t.teardown(() => setrlimit(constants.RLIMIT_NOFILE, { soft, hard }))
  const policy = support.defaultPolicy({})
  const low = socket(constants.SOCK_SEQPACKET)
  for (const [number, isLetIn] of [
    [files - KEPT - 1, true],
    [files - KEPT, false],
    [files - 1, false],
  ] as const) {
    using end = dup(low, number)
    t.equal(end.fd, number)
    const visit = policy.enter?.({ client: { pid: 1, uid: 1234 }, end, service: new Binder() })
    t.equal(visit !== null, isLetIn, `${number}`)
    visit?.onEnd(0, new Error('end'))
  }
  low.close()
})
