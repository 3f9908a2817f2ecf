/** The value of a memory service as a client sees it: with a real daemon, and with services that are not as they should be. */
import { constants, fstat, OwnedFd, socketpair } from 'memfd-native'
import t, { type Test } from 'tap'
import * as api from '../../src/index.ts'
import { connect, leakChecked, ScriptedBinder, sessionPair, startRegistry, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

// --- with a daemon ---

async function daemon(t: Test) {
  const { registry, program } = await startRegistry(t, { command: 'start' })
  const manager = await connect(t, registry)
  const value = await api.SharedValue.open(manager)
  t.teardown(() => value.close())
  return { manager, value, program }
}

t.test('a value is what was set last, by anybody, read without a call', async (t) => {
  const { manager, value } = await daemon(t)
  const other = await api.SharedValue.open(manager)
  t.teardown(() => other.close())
  t.equal(value.get(), 0)
  for (const wanted of [42, -1, 2_147_483_647, -2_147_483_648, 0]) {
    await value.set(wanted)
    t.same([value.get(), other.get()], [wanted, wanted])
  }
})

t.test('a value that is not an int32 is refused, and the old value stays', async (t) => {
  const { value } = await daemon(t)
  await value.set(7)
  for (const wrong of [2_147_483_648, -2_147_483_649, 1.5, Number.NaN]) {
    await t.rejects(value.set(wrong), { code: 'ERR_OUT_OF_RANGE' })
  }
  await t.rejects(value.set('1' as unknown as number), { code: 'ERR_INVALID_ARG_TYPE' })
  t.equal(value.get(), 7)
})

t.test('the region is read-only, sealed, and the same for everybody', async (t) => {
  const { manager, value } = await daemon(t)
  const other = await api.SharedValue.open(manager)
  t.teardown(() => other.close())
  const inode = (of: api.SharedValue) => fstat(of.file.getFileDescriptor().getInt()).ino
  t.equal(inode(value), inode(other))
  t.equal(value.file.length(), 4)
  t.throws(() => value.file.writeBytes(Buffer.alloc(4), 0, 0, 4), { code: 'ERR_READ_ONLY' })
})

t.test('changes() gives the value at once and each one that settles', async (t) => {
  const { value } = await daemon(t)
  await value.set(1)
  const seen: number[] = []
  for await (const current of value.changes()) {
    seen.push(current)
    if (current === 4) break
    await value.set(current + 1)
  }
  t.same(seen, [1, 2, 3, 4])
})

t.test('two loops over one value each see the last change', async (t) => {
  const { value } = await daemon(t)
  const follow = async () => {
    for await (const current of value.changes()) if (current === 100) return current
    return undefined
  }
  const loops = [follow(), follow()]
  for (let i = 1; i <= 100; i++) await value.set(i)
  t.same(await Promise.all(loops), [100, 100])
})

t.test('an abort ends the loop quietly: before it began, and while it waits', async (t) => {
  const { value } = await daemon(t)
  for (const isEarly of [true, false]) {
    const aborter = new AbortController()
    if (isEarly) aborter.abort()
    const seen: number[] = []
    for await (const current of value.changes({ signal: aborter.signal })) {
      seen.push(current)
      setImmediate(() => aborter.abort())
    }
    t.same(seen, [0])
  }
})

t.test(
  'the death of the service ends a loop that is to end by it, with ERR_DEAD_OBJECT, and the last value stays',
  async (t) => {
    const { value, program } = await daemon(t)
    await value.set(9)
    const loop = async () => {
      for await (const _current of value.changes({ endOnDeath: true })) program.kill('SIGKILL')
    }
    await t.rejects(loop(), { code: 'ERR_DEAD_OBJECT' })
    t.same([value.get(), value.isLive], [9, false])
    await t.rejects(value.set(1), { code: 'ERR_DEAD_OBJECT' })
    await program.ending
  },
)

t.test('of a service that was found by no registry its death is the end', async (t) => {
  const { manager, program } = await daemon(t)
  const value = await api.SharedValue.of((await manager.getService(api.DEFAULT_SERVICE_NAME)) as api.IBinder)
  t.teardown(() => value.close())
  const loop = async () => {
    for await (const _current of value.changes()) program.kill('SIGKILL')
  }
  await t.rejects(loop(), { code: 'ERR_DEAD_OBJECT' })
  t.equal(value.isLive, false)
  await t.rejects(value.changes().next(), { code: 'ERR_DEAD_OBJECT' })
})

t.test('return() ends a next() that waits, whatever the service does', async (t) => {
  const { value, program } = await daemon(t)
  const waiting = value.changes()
  t.same(await waiting.next(), { done: false, value: 0 })
  const next = waiting.next()
  await waiting.return()
  t.same(await next, { done: true, value: undefined })
  t.same(await waiting.next(), { done: true, value: undefined })
  program.kill('SIGSTOP')
  const beginning = value.changes()
  const first = beginning.next()
  await beginning.return()
  t.same(await first, { done: true, value: undefined })
  program.kill('SIGCONT')
})

t.test('what is no options object is refused', async (t) => {
  const { manager, value } = await daemon(t)
  for (const wrong of [1, 'x', true] as unknown[]) {
    t.throws(() => value.changes(wrong as object), { code: 'ERR_INVALID_ARG_TYPE' })
    await t.rejects(api.SharedValue.open(manager, undefined, wrong as object), { code: 'ERR_INVALID_ARG_TYPE' })
  }
  t.throws(() => value.changes({ endOnDeath: 1 as unknown as boolean }), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => value.changes({ signal: {} as AbortSignal }), { code: 'ERR_INVALID_ARG_TYPE' })
})

t.test('closing the value ends its loops, and everything after it', async (t) => {
  const { value } = await daemon(t)
  const loop = async () => {
    for await (const _current of value.changes()) setImmediate(() => value.close())
  }
  await t.rejects(loop(), { code: 'ERR_DEAD_OBJECT' })
  value.close()
  t.throws(() => value.get(), { code: 'ERR_DEACTIVATED' })
  await t.rejects(value.set(1), { code: 'ERR_CLOSED' })
  await t.rejects(value.changes().next(), { code: 'ERR_CLOSED' })
})

t.test('a name that nobody has is ERR_SERVICE_NOT_FOUND', async (t) => {
  const { manager } = await daemon(t)
  await t.rejects(api.SharedValue.open(manager, 'nobody'), { code: 'ERR_SERVICE_NOT_FOUND', message: /nobody/ })
  await t.rejects(api.SharedValue.open(manager, 'no name'), { code: 'ERR_SERVICE_NOT_FOUND' })
})

// --- with services that are not as they should be ---

/** What a service answers in place of its region, and what opening it comes to. */
const regions: [string, () => api.ParcelFileDescriptor | null, string][] = [
  ['nothing', () => null, 'ERR_SERVICE_NOT_FOUND'],
  ['a socket', () => someSocket(), 'ERR_NOT_A_REGION'],
  ['a file', () => api.ParcelFileDescriptor.open('/proc/self/status', 0x10000000), 'ERR_NOT_A_REGION'],
  [
    'a region that is too short',
    () => api.ParcelFileDescriptor.fromData(Buffer.alloc(3), 'short'),
    'ERR_UNSAFE_REGION',
  ],
]

function someSocket(): api.ParcelFileDescriptor {
  const [end, other] = socketpair(constants.SOCK_STREAM)
  other.close()
  return api.ParcelFileDescriptor.adoptFd(end.release())
}

for (const [what, make, code] of regions) {
  t.test(`a service that answers ${what} cannot be opened: ${code}, and its channel is closed`, async (t) => {
    class Odd extends api.IMemoryService.Stub implements api.ImplementationOf<typeof api.IMemoryService> {
      getFileDescriptor(): api.ParcelFileDescriptor | null {
        return make()
      }
      setValue(): void {}
    }
    const { proxy, client } = sessionPair(t, new Odd())
    await t.rejects(api.SharedValue.of(proxy), { code })
    t.equal(client.isEnded, true)
  })
}

/** A service whose region is as it should be. */
class Plain extends api.IMemoryService.Stub implements api.ImplementationOf<typeof api.IMemoryService> {
  readonly file = new api.MemoryFile('value', 4)
  isClosed = false
  onAsked: () => void = () => undefined

  getFileDescriptor(): api.ParcelFileDescriptor {
    this.onAsked()
    return this.file.getParcelFileDescriptor()
  }

  setValue(value: number): void {
    this.file.writeInt32BE(0, value)
  }

  close(): void {
    this.isClosed = true
    this.file.close()
  }
}

/** Finds one service, and no other. */
function managerOf(binder: api.IBinder): api.ServiceManager {
  return { getService: async () => binder, path: 'nowhere' } as unknown as api.ServiceManager
}

t.test('a service that is gone when its region has come is no value, and nothing of it stays open', async (t) => {
  const service = new Plain()
  const { proxy, server } = sessionPair(t, service)
  service.onAsked = () => void setImmediate(() => server.close())
  await t.rejects(api.SharedValue.open(managerOf(proxy)), { code: 'ERR_DEAD_OBJECT' })
  service.close()
})

t.test('nor of one that answers when nobody waits for it any more', async (t) => {
  const service = new Plain()
  const { proxy, client } = sessionPair(t, service)
  const aborter = new AbortController()
  service.onAsked = () => aborter.abort('enough')
  await t.rejects(api.SharedValue.open(managerOf(proxy), 'value', { signal: aborter.signal }), { code: 'ABORT_ERR' })
  while (!client.isEnded) await new Promise((resolve) => setTimeout(resolve, 1))
  service.close()
})

t.test('a value whose binder was closed is not there any more', async (t) => {
  const service = new Plain()
  const value = await api.SharedValue.of(sessionPair(t, service).proxy)
  t.equal(value.isLive, true)
  ;(value.binder as api.BinderProxy).close()
  t.equal(value.isLive, false)
  value.close()
  service.close()
})

t.test('a service that does not know how to be watched: ERR_UNSUPPORTED_OPERATION', async (t) => {
  const service = new Plain()
  t.teardown(() => service.close())
  const value = await api.SharedValue.of(sessionPair(t, service).proxy)
  await t.rejects(value.changes().next(), { code: 'ERR_UNSUPPORTED_OPERATION' })
  await value.set(5)
  t.equal(value.get(), 5)
  value.close()
})

t.test('what the service says to being watched is what the loop hears', async (t) => {
  for (const [error, code] of [
    [new api.LimitError('watchers', 1, 1), 'ERR_LIMIT'],
    [new api.IllegalStateError('not now'), 'ERR_ILLEGAL_STATE'],
  ] as const) {
    const service = new Plain()
    const refusing = new ScriptedBinder({
      1: (data, reply) => service.onTransact(1, data, reply, 0),
      1001: () => {
        throw error
      },
    })
    const value = await api.SharedValue.of(sessionPair(t, refusing).proxy)
    await t.rejects(value.changes().next(), { code })
    value.close()
    service.close()
  }
})

t.test('a service of this process is read too, and goes on when the value is closed', async (t) => {
  const service = new Plain()
  const value = await api.SharedValue.of(service)
  await value.set(3)
  t.equal(value.get(), 3)
  t.equal(value.binder, service)
  value.close()
  t.equal(service.isClosed, false)
  service.close()
})

t.test('a value owns what it was opened with', async (t) => {
  const service = new Plain()
  const { proxy, client } = sessionPair(t, service)
  const value = await api.SharedValue.of(proxy)
  using fd = OwnedFd.adopt(api.ParcelFileDescriptor.dup(value.file.getFileDescriptor()).detachFd())
  t.equal(fstat(fd).ino, fstat(service.file.getFileDescriptor().getInt()).ino)
  value[Symbol.dispose]()
  t.equal(client.isEnded, true)
  t.equal(value.file.getFileDescriptor().valid(), false)
  service.close()
})
