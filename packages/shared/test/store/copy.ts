/** A store that is a copy of values elsewhere: its clients' changes are made there, and its readers are told how true it is. */
import { areaTypes, bootTime } from 'memfd-native'
import t, { type Test } from 'tap'
import { ConflictError, LimitError, OwnedStore, ReadOnlyError, SharedStore, TimeoutError } from '../../src/index.ts'
import { type Caller, type CoreEdit, replicaStates, type StoreCopy, type StoreOrigin } from '../../src/internal.ts'
import { connect, leakChecked, MIB, startRegistry, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

/** Makes what it is asked for at once, or refuses all. */
class Origin implements StoreOrigin {
  copy: StoreCopy | undefined
  refusal: Error | null = null
  readonly asked: { edits: readonly CoreEdit[]; caller: Caller }[] = []
  isEnded = false

  begin(copy: StoreCopy): void {
    this.copy = copy
  }

  async update(edits: readonly CoreEdit[], caller: Caller): Promise<bigint> {
    this.asked.push({ edits, caller })
    await new Promise((resolve) => setImmediate(resolve))
    if (this.refusal !== null) throw this.refusal
    return this.copy?.apply(edits) ?? 0n
  }

  async increment(key: string, by: number, caller: Caller): Promise<number> {
    await this.update([{ key, value: { type: areaTypes.JSON, bytes: Buffer.from(String(by)) } }], caller)
    return by
  }

  revisionOf(key: string): bigint {
    return this.copy?.versionOf(key) === 0n ? 0n : 7n
  }

  end(): void {
    this.isEnded = true
  }
}

async function copiedStore(t: Test) {
  const { registry } = await startRegistry(t)
  const origin = new Origin()
  const owner = new OwnedStore({ capacity: 4 * MIB, maxKeys: 64, maxValueBytes: MIB }, { origin })
  t.teardown(() => owner.close())
  const publisher = await connect(t, registry)
  await publisher.addService('copy', owner.binder)
  const store = await SharedStore.open('copy', { path: registry })
  t.teardown(() => store.close())
  return { origin, owner, store, copy: origin.copy as StoreCopy }
}

function codeOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => null,
    (error) => error.code,
  )
}

t.test('a change of a client is made at the origin, and is read when the call is answered', async (t) => {
  const { origin, store } = await copiedStore(t)
  const version = await store.set('a', { x: 1 }, { ifVersion: 0n })
  t.strictSame(store.get('a'), { x: 1 })
  t.equal(store.getEntry('a').version, version)
  await store.update([{ key: 'b', value: Buffer.from('bytes') }, { key: 'a' }])
  t.equal(store.get('a'), undefined)
  t.same(store.get('b'), Buffer.from('bytes'))
  t.equal(await store.increment('n', 5), 5)
  t.equal(await store.delete('b'), true)
  t.equal(await store.delete('b'), false)
  t.equal(origin.asked[0]?.edits[0]?.ifVersion, 0n)
  t.equal(origin.asked[0]?.caller.uid, process.getuid?.())
})

t.test('a value in parts comes to the origin whole', async (t) => {
  const { origin, store, owner } = await copiedStore(t)
  const bytes = Buffer.alloc(300_000, 'x')
  await store.set('long', bytes)
  t.ok(Buffer.from(origin.asked[0]?.edits[0]?.value?.bytes ?? []).equals(bytes))
  t.ok(Buffer.from(store.getBytes('long') ?? []).equals(bytes))
  t.equal(owner.used.uploads, 0)
})

t.test('the client gets a refusal of the origin by its code', async (t) => {
  const { origin, store, copy } = await copiedStore(t)
  const version = copy.apply([{ key: 'a', value: { type: areaTypes.JSON, bytes: Buffer.from('1') } }])
  const refusals = {
    ERR_TIMEOUT: new TimeoutError('the outcome is unknown'),
    ERR_READ_ONLY: new ReadOnlyError('this machine may only read'),
    ERR_LIMIT: new LimitError('writes under way', 1, 2),
    ERR_CONFLICT: new ConflictError('a', version, { revision: 77n }),
  }
  for (const [code, refusal] of Object.entries(refusals)) {
    origin.refusal = refusal
    const error = await store.set('a', 2).catch((error) => error)
    t.equal(error.code, code)
    if (code !== 'ERR_CONFLICT') t.equal(error.message, refusal.message)
    else t.match(error, { version, value: 1, revision: 77n })
  }
  origin.refusal = refusals.ERR_TIMEOUT
  t.equal(await codeOf(store.increment('n')), 'ERR_TIMEOUT')
  t.equal(await codeOf(store.set('l', Buffer.alloc(100_000))), 'ERR_TIMEOUT')
  t.equal(store.get('a'), 1)
})

t.test('a value that ends by itself, or is too long, does not get to the origin', async (t) => {
  const { origin, store } = await copiedStore(t)
  t.equal(await codeOf(store.set('a', 1, { ttlMs: 10 })), 'ERR_UNSUPPORTED_OPERATION')
  t.equal(await codeOf(store.increment('a', 1, { ttlMs: 10 })), 'ERR_UNSUPPORTED_OPERATION')
  t.equal(await codeOf(store.set('a', Buffer.alloc(100_000), { ttlMs: 10 })), 'ERR_UNSUPPORTED_OPERATION')
  t.equal(await codeOf(store.set('a', Buffer.alloc(MIB + 1))), 'ERR_LIMIT')
  t.equal(origin.asked.length, 0)
})

t.test('status says how true the copy is, also after its areas have moved', async (t) => {
  const { owner, store, copy } = await copiedStore(t)
  t.notOk('applied' in store.status)
  copy.setReplica({ state: replicaStates.SYNCING, applied: 0n, contact: 0 })
  t.match(store.status, { state: 'syncing', ageMs: Number.POSITIVE_INFINITY, connected: true })
  copy.setReplica({ state: replicaStates.LIVE, applied: 77n, contact: bootTime() })
  t.match(store.status, { state: 'live', applied: 77n })
  owner.resize({ capacity: 8 * MIB, maxKeys: 128 })
  t.match(store.status, { state: 'live', applied: 77n })
  copy.setReplica({ state: replicaStates.STALE, applied: 78n, contact: bootTime() - 7000 })
  t.match(store.status, { state: 'stale', applied: 78n })
  t.ok(store.status.ageMs >= 7000)
  copy.setReplica({ state: replicaStates.REFUSED, applied: 78n, contact: 0 })
  t.equal(store.status.state, 'refused')
})

t.test('a copy that says it is live, and has not heard of its origin for long, is stale', async (t) => {
  const { store, copy } = await copiedStore(t)
  copy.setReplica({ state: replicaStates.LIVE, applied: 1n, contact: bootTime() - 6000 })
  t.equal(store.status.state, 'stale')
})

t.test('the origin is told when the store is closed', async (t) => {
  const { owner, origin } = await copiedStore(t)
  owner.close()
  t.ok(origin.isEnded)
})

t.test('which revision of the origin wrote a value is asked of the owner, and a plain store has none', async (t) => {
  const { store } = await copiedStore(t)
  await store.set('a', 1)
  t.equal(await store.revisionOf('a'), 7n)
  t.equal(await store.revisionOf('b'), 0n)
  t.equal(await codeOf(store.revisionOf('')), 'ERR_INVALID_ARG_VALUE')
  const { registry } = await startRegistry(t)
  const owner = new OwnedStore({ capacity: MIB, maxKeys: 64 })
  t.teardown(() => owner.close())
  await (await connect(t, registry)).addService('plain', owner.binder)
  const plain = await SharedStore.open('plain', { path: registry })
  t.teardown(() => plain.close())
  t.equal(await codeOf(plain.revisionOf('a')), 'ERR_UNSUPPORTED_OPERATION')
})
