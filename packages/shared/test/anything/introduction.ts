/** Each public object says its class and state to console.log, in one line, open or closed; and none is cloned. */
import { inspect } from 'node:util'
import t from 'tap'
import * as shared from '../../src/index.ts'
import { leakChecked, sessionPair, startRegistry, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

interface Introduced {
  /** Its class first. */
  readonly open: RegExp
  readonly closed?: RegExp
  readonly make: () => object
}

const IThing = shared.defineInterface('x.IThing', { act: { code: 1, args: [shared.types.int] } })
class Thing extends IThing.Stub {}

/** What the streams of a test leave open. */
const files: shared.MemoryFile[] = []

function file(): shared.MemoryFile {
  const made = new shared.MemoryFile('flags', 8)
  files.push(made)
  return made
}

const OBJECTS: Introduced[] = [
  {
    make: file,
    open: /^MemoryFile \{ name: 'flags', length: 8, access: 'read-write', state: 'open' \}$/,
    closed: /length: 8, .*state: 'deactivated'/,
  },
  {
    make: () => file().getInputStream(),
    open: /^MemoryInputStream \{ position: 0, length: 8, state: 'open' \}$/,
    closed: /'closed'/,
  },
  {
    make: () => file().getOutputStream(),
    open: /^MemoryOutputStream \{ position: 0, length: 8, state: 'open' \}$/,
    closed: /'closed'/,
  },
  {
    make: () => shared.SharedMemory.create('x', 3),
    open: /^SharedMemory \{ size: 3, fd: \d+, state: 'open' \}$/,
    closed: /size: 3, fd: -1, .*'closed'/,
  },
  {
    make: () => shared.ashmem.createRegion('x', 1),
    open: /^FileDescriptor \{ fd: \d+, state: 'open' \}$/,
    closed: /fd: -1, state: 'closed'/,
  },
  { make: pipeEnd, open: /^ParcelFileDescriptor \{ fd: \d+, state: 'open' \}$/, closed: /fd: -1, state: 'closed'/ },
  {
    make: () => new shared.ParcelFileDescriptor.AutoCloseInputStream(pipeEnd()),
    open: /^AutoCloseInputStream \{ state: 'open' \}$/,
    closed: /'closed'/,
  },
  { make: () => new shared.Binder(), open: /^Binder \{ descriptor: null \}$/ },
  { make: () => new Thing(), open: /^Thing \{ descriptor: 'x.IThing' \}$/ },
  {
    make: () => new shared.OwnedValue({ initialValue: 7 }),
    open: /^OwnedValue \{ value: 7, watchers: 0, state: 'open' \}$/,
    closed: /'closed'/,
  },
  {
    make: () => new shared.OwnedStore(),
    open: /^OwnedStore \{ keys: 0, valueBytes: 0, state: 'open' \}$/,
    closed: /'closed'/,
  },
]

function pipeEnd(): shared.ParcelFileDescriptor {
  const [reader, writer] = shared.ParcelFileDescriptor.createPipe()
  writer.close()
  return reader
}

for (const { make, open, closed } of OBJECTS) {
  t.test(`${open.source.split(' ')[0]?.slice(1)} introduces itself`, async (t) => {
    const object = make() as { close?(): void }
    t.match(inspect(object), open)
    t.match(inspect({ inside: [object] }, { depth: 9 }), new RegExp(open.source.slice(1, -1)))
    object.close?.()
    if (closed !== undefined) t.match(inspect(object), closed)
    t.notMatch(inspect(object), /\n/)
    for (const each of files.splice(0)) each.close()
    if (canRefuse()) t.throws(() => structuredClone(object), { name: 'DataCloneError' })
  })
}

/** Node has a way to refuse it from 22.10 on. */
function canRefuse(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  return major > 22 || (major === 22 && minor >= 10)
}

t.test('a mapping introduces itself', async (t) => {
  const memory = shared.SharedMemory.create('x', 8)
  const mapping = memory.mapReadOnly()
  t.equal(inspect(mapping), "SharedMapping { length: 8, access: 'read-only', state: 'mapped' }")
  shared.SharedMemory.unmap(mapping)
  t.match(inspect(mapping), /length: 0, .*'unmapped'/)
  memory.close()
})

t.test('a parcel introduces itself', async (t) => {
  const parcel = shared.Parcel.obtain()
  parcel.writeInt(1)
  t.equal(inspect(parcel), "Parcel { dataSize: 4, state: 'open' }")
  parcel.recycle()
  t.equal(inspect(parcel), "Parcel { state: 'recycled' }")
})

t.test('a proxy introduces itself, and so does an interface around it', async (t) => {
  const { proxy } = sessionPair(t, new Thing())
  const thing = IThing.asInterface(proxy)
  t.equal(inspect(proxy), "BinderProxy { object: 0, state: 'alive' }")
  t.match(inspect(thing), /^RemoteProxy \{ interface: 'x.IThing', state: 'alive' \}$/)
  proxy.close()
  t.match(inspect(proxy), /'closed'/)
  t.match(inspect(thing), /'dead'/)
})

t.test('a manager and a store introduce themselves', async (t) => {
  const { registry } = await startRegistry(t)
  const manager = await shared.ServiceManager.connect({ path: registry })
  t.equal(inspect(manager), `ServiceManager { path: '${registry}', state: 'connected' }`)
  const owned = new shared.OwnedStore()
  owned.set('a', 1)
  await manager.addService('things', owned.binder)
  const store = await shared.SharedStore.open('things', { path: registry })
  t.equal(inspect(store), "SharedStore { name: 'things', keys: 1, state: 'live' }")
  t.equal(inspect(store.entry('a')), "StoreEntry { key: 'a' }")
  store.close()
  t.equal(inspect(store), "SharedStore { name: 'things', state: 'closed' }")
  owned.close()
  manager.close()
  t.match(inspect(manager), /'closed'/)
})
