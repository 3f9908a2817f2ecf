/** Stores over the end of a daemon: what systemd is given of them, and what of it is believed. */
import { OwnedStore, type OwnedStoreOptions } from '@memsvc/shared'
import { constants, dup, fstat, ftruncate, memfdCreate, type OwnedFd } from 'memfd-native'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import * as support from '../../test-support/index.ts'

const { Keeping, KeptAreas, leakChecked, NotifyListener, NotifySocket, watchdog } = support
const { mkdtempSync, rmSync } = support.nodeFs
const { join } = support.nodePath
const SIZE = { capacity: 1024 * 1024, maxKeys: 256 }

type StoreKeeper = NonNullable<NonNullable<ConstructorParameters<typeof OwnedStore>[1]>['keeper']>

interface Kept {
  readonly name: string
  readonly fd: OwnedFd
}

watchdog(t)
leakChecked(t)

/** A systemd, and daemons one after the other. */
function systemd(t: Test) {
  const folder = mkdtempSync(join(support.nodeOs.tmpdir(), 'memsvc-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'notify')
  const listener = new NotifyListener(t, path)
  const kept = new Map<string, OwnedFd>()
  t.teardown(() => {
    for (const fd of kept.values()) fd.close()
  })
  const lines: string[] = []
  const logger = pino({ base: null }, { write: (line) => lines.push(line) })
  /** Takes so many notices, as systemd would. */
  const take = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const { lines, fds } = await listener.next()
      const name = lines.find((line) => line.startsWith('FDNAME='))?.slice('FDNAME='.length) ?? ''
      if (lines[0] === 'FDSTORE=1') {
        kept.get(name)?.close()
        kept.set(name, fds[0] as OwnedFd)
      } else {
        kept.get(name)?.close()
        kept.delete(name)
      }
    }
  }
  const areas = () => new KeptAreas(NotifySocket.take({ NOTIFY_SOCKET: path }), handOver(kept), logger)
  const start = (options: OwnedStoreOptions = {}, handed: readonly Kept[] = handOver(kept), wrap = asItIs) => {
    const areas = new KeptAreas(NotifySocket.take({ NOTIFY_SOCKET: path }), handed, logger)
    const keeping = new Keeping({ areas, folder: null, sync: 'behind', logger, onProgress: () => undefined })
    const store = keeping.begin('flags', (beginning) => {
      const keeper = beginning.keeper as StoreKeeper
      return new OwnedStore({ ...SIZE, ...options }, { ...beginning, keeper: wrap(keeper) })
    })
    t.teardown(() => store.close())
    keeping.close()
    return store
  }
  return { kept, take, start, areas, lines }
}

function bound(keeper: StoreKeeper): StoreKeeper {
  return {
    begin: (store) => keeper.begin(store),
    changed: (keys) => keeper.changed(keys),
    moved: () => keeper.moved(),
    kept: () => keeper.kept(),
    end: () => keeper.end(),
  }
}

function asItIs(keeper: StoreKeeper): StoreKeeper {
  return keeper
}

function handOver(kept: ReadonlyMap<string, OwnedFd>): Kept[] {
  return [...kept].map(([name, fd]) => ({ name, fd: dup(fd.fd) }))
}

function versionOf(store: OwnedStore, key: string): bigint {
  try {
    store.delete(key, { ifVersion: 1n })
  } catch (error) {
    return (error as { version: bigint }).version
  }
  return 0n
}

t.test('a store goes on with its keys and versions, also in areas of other rules, and gives none twice', async (t) => {
  const { kept, take, start } = systemd(t)
  const first = start()
  await take(2)
  t.strictSame([...kept.keys()], ['flags+0.2@1', 'flags+1.2@1'])
  const versions = ['a', 's/1'].map((key) => first.set(key, { key }))
  first.set('gone', 1)
  first.delete('gone')
  const last = first.set('bytes', new Uint8Array(1000))
  const second = start({ areas: [{ keys: ['s/*'] }, { keys: ['*'] }] })
  await take(5)
  t.strictSame([...kept.keys()], ['flags+0.3@2', 'flags+1.3@2', 'flags+2.3@2'])
  t.strictSame(second.keys(), ['a', 'bytes', 's/1'])
  t.strictSame(
    ['a', 's/1'].map((key) => versionOf(second, key)),
    versions,
  )
  t.strictSame(second.get('s/1'), { key: 's/1' })
  const next = ['s/1', 'a'].map((key) => second.set(key, 2))
  t.ok(next.every((version) => version > last))
  const third = start()
  await take(5)
  t.strictSame(
    ['s/1', 'a'].map((key) => versionOf(third, key)),
    next,
  )
  t.ok(third.set('a', 3) > (next[1] ?? 0n))
})

t.test('a store that moves is kept where it is', async (t) => {
  const { kept, take, start } = systemd(t)
  const store = start()
  await take(2)
  store.set('k', 1)
  store.resize({ capacity: 2 * SIZE.capacity })
  await take(4)
  t.strictSame([...kept.keys()], ['flags+0.2@2', 'flags+1.2@2'])
  store.set('k', 2)
  t.equal(start().get('k'), 2)
  await take(4)
})

t.test('values that end do so after a restart too, and who pays for a key pays on', async (t) => {
  const { take, start } = systemd(t)
  const first = start()
  await take(2)
  first.set('soon', 1, { ttlMs: 1 })
  first.set('later', 1, { ttlMs: 1000_000 })
  first.set('kept', 1, { ttlMs: 1000_000 })
  first.set('kept', 2)
  const ended = performance.now() + 2
  while (performance.now() < ended);
  const second = start()
  await take(4)
  t.strictSame(second.keys(), ['kept', 'later'])
  t.equal(second.increment('later'), 2)
  const third = start()
  await take(4)
  t.equal(third.get('later'), 2)
})

/** What the next daemon has of `k` if this one is killed before or after a second set commits, a little later. */
async function killedBeside(t: Test, first: { ttlMs?: number }, second: { ttlMs?: number }) {
  const { kept, take, start } = systemd(t)
  const found: unknown[] = []
  let isArmed = false
  const lookLater = () => {
    const end = performance.now() + 2
    while (performance.now() < end);
    if (isArmed) found.push(start().get('k'))
  }
  const store = start({}, handOver(kept), (keeper) => ({
    ...bound(keeper),
    changing: (keys, note) => {
      keeper.changing?.(keys, note)
      lookLater()
    },
    changed: (keys) => {
      lookLater()
      keeper.changed(keys)
    },
  }))
  await take(2)
  store.set('k', 1, first)
  isArmed = true
  store.set('k', 2, second)
  isArmed = false
  await take(8)
  return found
}

t.test('a daemon killed between a value and its note leaves the old value or the new one', async (t) => {
  t.strictSame(await killedBeside(t, {}, { ttlMs: 1 }), [1, undefined], 'its end is not forgotten')
  t.strictSame(await killedBeside(t, { ttlMs: 1 }, {}), [undefined, 2], 'one that is over does not come back')
  t.strictSame(await killedBeside(t, {}, {}), [1, 2])
})

t.test('a value that makes its area move keeps its end', async (t) => {
  const { kept, take, start } = systemd(t)
  const store = start({}, handOver(kept), (keeper) => ({
    ...bound(keeper),
    changing: (keys, note) => {
      keeper.changing?.(keys, note)
      if (keys[0] === 'k') store.resize({ capacity: 2 * SIZE.capacity })
    },
  }))
  await take(2)
  store.set('before', 1, { ttlMs: 1000_000 })
  store.set('k', 1, { ttlMs: 1 })
  await take(4)
  const end = performance.now() + 2
  while (performance.now() < end);
  const next = start()
  await take(4)
  t.strictSame(next.keys(), ['before'])
})

t.test('a generation that is not whole is not believed; the one before it is', async (t) => {
  const { kept, take, start } = systemd(t)
  const store = start()
  await take(2)
  store.set('k', 1)
  const half = { name: 'flags+0.2@9', fd: dup(kept.get('flags+0.2@1')?.fd ?? -1) }
  const next = start({}, [...handOver(kept), half])
  await take(5)
  t.equal(next.get('k'), 1)
  t.strictSame([...kept.keys()], ['flags+0.2@10', 'flags+1.2@10'])
})

t.test('notes without values are not believed either', async (t) => {
  const { kept, take, start } = systemd(t)
  const store = start()
  await take(2)
  store.set('k', 1)
  const notes = { name: 'flags+0.1@9', fd: dup(kept.get('flags+1.2@1')?.fd ?? -1) }
  const next = start({}, [...handOver(kept), notes])
  await take(5)
  t.equal(next.get('k'), 1)
  t.strictSame([...kept.keys()], ['flags+0.2@10', 'flags+1.2@10'])
})

t.test('a store of which only some areas are left begins empty, and an error is logged', async (t) => {
  const { kept, take, start, lines } = systemd(t)
  const store = start()
  await take(2)
  store.set('k', 1)
  const next = start({}, [{ name: 'flags+0.2@1', fd: dup(kept.get('flags+0.2@1')?.fd ?? -1) }])
  await take(3)
  t.strictSame(next.keys(), [])
  t.match(lines, [/"level":50.*"names":\["flags\+0\.2@1"\].*their values are lost/])
})

t.test('a store that is served no more is kept no more, is told of once, and begins anew', async (t) => {
  const { kept, take, start, areas } = systemd(t)
  start().set('k', 1)
  await take(2)
  const all = areas()
  t.teardown(() => all.close())
  all.forget('flags')
  await take(2)
  t.strictSame([...kept.keys()], [])
  all.forget('flags')
  all.forget('unknown')
  t.equal(all.take('flags'), null)
  const area = memfdCreate('area')
  t.teardown(() => area.close())
  all.keep('flags', [area, area])
  await take(2)
  t.strictSame([...kept.keys()], ['flags+0.2@1', 'flags+1.2@1'])
})

for (const [name, make] of [
  ['no area', () => memfdCreate('stranger', constants.MFD_ALLOW_SEALING)],
  ['no memory at all', () => dup(0)],
] as const) {
  t.test(`a region that is ${name} is not believed: the store begins empty, and an error is logged`, async (t) => {
    const { take, start, lines } = systemd(t)
    const strangers = [0, 1].map((number) => {
      const fd = make()
      if (name === 'no area') ftruncate(fd, 65536)
      return { name: `flags+${number}.2@1`, fd }
    })
    const store = start({}, strangers)
    await take(4)
    t.strictSame(store.keys(), [])
    t.match(lines, [/"level":50.*their values are lost/])
    for (const { fd } of strangers) t.throws(() => fstat(fd), { code: 'EBADF' })
  })
}
