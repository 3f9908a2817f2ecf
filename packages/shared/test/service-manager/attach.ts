/**
 * A registry that brings a process ends of new channels: for what was published, as long as there is room, and for nothing
 * else. What is let in is looked at and charged before anything is made of it.
 */

import { constants, dup, getrlimit, OwnedFd, setrlimit, socket } from 'memfd-native'
import t, { type Test } from 'tap'
import { Binder, type IBinder, LimitError, Parcel } from '../../src/index.ts'
import * as support from '../../test-support/index.ts'

support.watchdog(t)
support.leakChecked(t)

const uid = process.getuid?.() ?? 0
const CLIENT = { pid: process.pid, uid }
/** Of the last numbers for descriptors, those that no channel to a service gets. */
const KEPT = 12

/** A client on this end: what a call comes to. */
async function ping(t: Test, end: OwnedFd): Promise<boolean> {
  const client = new support.Session(end, { role: 'client', root: null, peerAcceptsFileDescriptors: false })
  t.teardown(() => client.close())
  using data = Parcel.obtain()
  return support.awake(client.root.transact(Binder.PING_TRANSACTION, data, null))
}

t.test('a channel to what was published is served, one to anything else is closed at once', async (t) => {
  const entered: string[] = []
  const policy: support.ChannelPolicy = {
    enter: () => {
      entered.push('enter')
      return { refusal: null, onOpen: () => entered.push('open'), onEnd: () => entered.push('end') }
    },
  }
  const { manager, registry } = await support.fakeRegistry(t, policy)
  await manager.registerForNotifications('name', () => {})
  await support.otherEndClosed(support.bringChannel(t, registry.callbacks.get('name')))
  t.strictSame(entered, [], 'nobody was asked about a callback')
  await manager.addService('name', new Binder())
  await support.otherEndClosed(support.bringChannel(t, registry.callbacks.get('name')))
  t.strictSame(entered, [], 'also not when something was published')
  t.equal(await ping(t, support.bringChannel(t, registry.services.get('name'))), true)
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
    const { manager, registry } = await support.fakeRegistry(t, policy)
    await manager.addService('name', new Binder())
    await support.otherEndClosed(support.bringChannel(t, registry.services.get('name')))
    t.strictSame(log, ['true true'])
    isOpen = true
    await t.rejects(ping(t, support.bringChannel(t, registry.services.get('name'))), {
      code: 'ERR_LIMIT',
      resource: 'channels',
    })
    t.match(log.slice(1), ['true true', 'open', /^end /])
  },
)

t.test('a descriptor that is not a socket is closed again', async (t) => {
  const log: string[] = []
  const policy: support.ChannelPolicy = {
    enter: () => ({ refusal: null, onOpen: () => log.push('open'), onEnd: (pid) => log.push(`end ${pid}`) }),
  }
  const { manager, registry } = await support.fakeRegistry(t, policy)
  await manager.addService('name', new Binder())
  const warned = new Promise((resolve) => process.once('warning', resolve))
  const file = OwnedFd.adopt(support.nodeFs.openSync(import.meta.filename, 'r'))
  support.sendAttachment(registry.services.get('name') as IBinder, { client: CLIENT, end: file }, false)
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
