/** Stores on disk: what is there after whatever end, who may look at it, and a disk that is full. */
import { OwnedStore } from '@memsvc/shared'
import { type StoreKeeper, TrustedUsers } from '@memsvc/shared/internal'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import * as support from '../../test-support/index.ts'

const { decodeRecord, encodeRecord, Keeping, KeptAreas, NotifyListener, NotifySocket } = support
const { OTHER_UID, StateFolder, watchdog } = support
const { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } =
  support.nodeFs
const { join } = support.nodePath
const SIZE = { capacity: 4 * 1024 * 1024, maxKeys: 4096 }
const TRUSTED = new TrustedUsers({ trustsOverflow: false })
const OWN = process.getuid?.() ?? 0
const isRoot = OWN === 0

watchdog(t)

const lines: string[] = []
const logger = pino({ base: null }, { write: (line) => lines.push(line) })

async function begin(path: string, sync: support.StateSync = 'behind', areas = new KeptAreas(null, [], logger)) {
  const folder = await StateFolder.open(path, OWN, TRUSTED)
  const keeping = new Keeping({ areas, folder, sync, logger, onProgress: () => undefined })
  let keeper: StoreKeeper | null = null
  const store = keeping.begin('flags', (beginning) => {
    keeper = beginning.keeper ?? null
    return new OwnedStore(SIZE, beginning)
  })
  const end = () => {
    store.close()
    keeping.close()
  }
  const written = async () => {
    while ((keeping.stateOf('flags')?.pending ?? 0) > 0) await new Promise((resolve) => setTimeout(resolve, 1))
  }
  return { store, folder, end, written, keeper: () => keeper, state: () => keeping.stateOf('flags') }
}

function folderOf(t: Test): string {
  const path = join(t.testdir({}), 'state')
  chmodSync(t.testdirName, 0o700)
  return path
}

const DAMAGES: readonly [what: string, damage: (file: string) => void][] = [
  ['meta pages of zeros', (file) => support.nodeFs.writeFileSync(file, Buffer.alloc(2 * 4096), { flag: 'r+' })],
  ['a second meta page of noise', (file) => support.nodeFs.writeFileSync(file, noisyPage(file), { flag: 'r+' })],
  ['another file', (file) => support.nodeFs.writeFileSync(file, 'not a database, but longer than a page'.repeat(500))],
  ['a few bytes', (file) => support.nodeFs.truncateSync(file, 100)],
  ['a page and a half', (file) => support.nodeFs.truncateSync(file, 6000)],
  ['two pages and a half', (file) => support.nodeFs.truncateSync(file, 10_000)],
]

function noisyPage(file: string): Buffer {
  const pages = support.nodeFs.readFileSync(file).subarray(0, 2 * 4096)
  return Buffer.concat([pages.subarray(0, 4096), Buffer.alloc(4096, 0xa5)])
}

for (const [what, damage] of DAMAGES) {
  t.test(`a database of which there is only ${what} is refused, and named: it does not end the process`, async (t) => {
    const path = folderOf(t)
    const first = await begin(path)
    first.store.set('k', 1)
    await first.written()
    first.end()
    const file = join(path, 'data.mdb')
    damage(file)
    await t.rejects(StateFolder.open(path, OWN, TRUSTED), {
      code: 'ERR_ILLEGAL_STATE',
      message: /data\.mdb is damaged: it (is not a database|has only (6000|10000) bytes)/,
    })
    rmSync(file)
    const next = await begin(path)
    t.strictSame(next.store.keys(), [], 'moved away, the stores begin empty')
    next.end()
  })
}

t.test(
  'a database without the end of what was written last is refused: what was written before does not count',
  async (t) => {
    const path = folderOf(t)
    const folder = await StateFolder.open(path, OWN, TRUSTED)
    for (const bytes of [1, 1_000_000])
      await folder.commit(() => void folder.database('flags').put(Buffer.from(`${bytes}`), Buffer.alloc(bytes)))
    folder.close()
    const file = join(path, 'data.mdb')
    const { size } = statSync(file)
    for (const left of [size - 1, size - 4096, size - 1_000_000 + 4096]) {
      support.nodeFs.truncateSync(file, left)
      await t.rejects(
        StateFolder.open(path, OWN, TRUSTED),
        {
          code: 'ERR_ILLEGAL_STATE',
          message: new RegExp(`has only ${left} bytes of ${size}`),
        },
        `${left}`,
      )
    }
  },
)

t.test('a record comes back as it was, and one that is damaged anywhere does not', async (t) => {
  const record = {
    key: 'k',
    type: 2,
    bytes: new Uint8Array(Buffer.from('[1]')),
    version: 7n,
    payer: 1000,
    endsAt: 12345.5,
  }
  const { key: _, ...decoded } = record
  const bytes = encodeRecord(record)
  const longer = Buffer.concat([bytes, Buffer.from('of another')])
  t.strictSame(decodeRecord(longer, bytes.length), decoded)
  const bare = encodeRecord({ ...record, payer: null, endsAt: null })
  t.match(decodeRecord(bare, bare.length), { payer: null, endsAt: null })
  for (let at = 0; at < bytes.length; at++) {
    const damaged = Buffer.from(bytes)
    damaged[at] = (damaged[at] ?? 0) ^ 0x10
    if (at === 1 || at === 2 || at === 3) continue // the type is checked by what is made of it
    t.equal(decodeRecord(damaged, damaged.length), null, `byte ${at}`)
  }
  for (let length = 0; length < bytes.length; length++) t.equal(decodeRecord(bytes, length), null)
})

t.test('a store begins with what it had at its end, and goes on counting its versions', async (t) => {
  const path = folderOf(t)
  const first = await begin(path)
  first.store.set('gone', 1)
  first.store.set('json', { a: [1] })
  first.store.set('bytes', Buffer.alloc(1_000_000, 7))
  first.store.set('ends', 1, { ttlMs: 1 })
  first.store.delete('gone')
  const last = first.store.set('ä'.repeat(256), 1)
  first.end()
  const ended = performance.now() + 2
  while (performance.now() < ended);
  const second = await begin(path)
  t.strictSame(second.store.keys(), ['bytes', 'json', 'ä'.repeat(256)])
  t.strictSame(second.store.get('json'), { a: [1] })
  t.equal((second.store.get('bytes') as Uint8Array)[999_999], 7)
  t.ok(second.store.set('json', 2) > last)
  t.equal(second.store.set('x', 1, { ifVersion: 0n }) > last, true)
  await second.written()
  second.end()
  const third = await begin(path)
  t.strictSame([third.store.get('json'), third.store.get('x')], [2, 1])
  third.end()
})

t.test('all values of a store are read, of whatever length, each good until the next', async (t) => {
  const folder = await StateFolder.open(folderOf(t), OWN, TRUSTED)
  const lengths = { 'a b': 0, long: 20_000_000, short: 1, ä: 40_000 }
  await folder.commit(() => {
    for (const [key, length] of Object.entries(lengths)) {
      void folder.database('x').put(Buffer.from(key), Buffer.alloc(length, length & 0xff))
    }
  })
  const read = folder.read('x', (value, length) => [length, value[length - 1]])
  t.strictSame(
    Array.from(read, ({ key, value: [length] }) => [key, length]),
    Object.entries(lengths),
  )
  for (const { value } of read) if (value[0] !== 0) t.equal(value[1], (value[0] as number) & 0xff)
  t.equal(folder.count('x'), 4)
  folder.close()
})

t.test('the folder is for the daemon’s user alone, and so is every file in it', async (t) => {
  const path = folderOf(t)
  const { end, store, written } = await begin(path)
  store.set('k', 1)
  await written()
  t.equal(statSync(path).mode & 0o777, 0o700)
  for (const name of readdirSync(path)) t.equal(statSync(join(path, name)).mode & 0o777, 0o600, name)
  const refusal = { code: 'ERR_ILLEGAL_STATE', message: `another process uses the state folder ${path}` }
  await t.rejects(begin(path), refusal)
  for (const name of readdirSync(path)) if (name !== 'data.mdb') rmSync(join(path, name))
  await t.rejects(begin(path), refusal, 'also when someone has removed the other files of the folder')
  end()
  chmodSync(path, 0o750)
  await t.rejects(begin(path), { code: 'ERR_SECURITY', message: /other users could read it/ })
  chmodSync(path, 0o700)
  ;(await begin(path)).end()
  await t.rejects(begin('/dev/null/state'), { code: 'ERR_ILLEGAL_STATE', message: /cannot be opened/ })
})

t.test('other files in the folder stay as they are', async (t) => {
  const path = folderOf(t)
  mkdirSync(path, { mode: 0o700 })
  mkdirSync(join(path, '.ssh'), { mode: 0o700 })
  writeFileSync(join(path, 'program'), '', { mode: 0o755 })
  symlinkSync('nowhere', join(path, 'link'))
  ;(await begin(path)).end()
  t.equal(statSync(join(path, '.ssh')).mode & 0o777, 0o700)
  t.equal(statSync(join(path, 'program')).mode & 0o777, 0o755)
})

for (const [what, remove] of [
  ['removed', (path: string) => rmSync(path, { recursive: true })],
  ['replaced', (path: string) => support.nodeFs.copyFileSync(join(path, 'data.mdb'), join(path, 'new'))],
] as const) {
  t.test(`a database that is ${what} while it is open is told of, and no change is kept there`, async (t) => {
    const path = folderOf(t)
    const { end, store, keeper, state } = await begin(path, 'always')
    store.set('k', 1)
    await keeper()?.kept()
    t.equal(state()?.failing, false)
    lines.length = 0
    remove(path)
    if (what === 'replaced') support.nodeFs.renameSync(join(path, 'new'), join(path, 'data.mdb'))
    store.set('k', 2)
    const message = /data\.mdb was removed or replaced while it was open: restart the daemon/
    await t.rejects(Promise.resolve(keeper()?.kept()), { code: 'ERR_ILLEGAL_STATE', message })
    t.equal(state()?.failing, true)
    t.equal(store.get('k'), 2)
    t.match(lines, [/"level":50.*removed or replaced/])
    end()
  })
}

t.test('a change that systemd also keeps is answered only when it is on disk', async (t) => {
  const path = folderOf(t)
  const notify = mkdtempSync(join(support.nodeOs.tmpdir(), 'memsvc-'))
  t.teardown(() => rmSync(notify, { recursive: true }))
  new NotifyListener(t, join(notify, 'socket'))
  const areas = () => new KeptAreas(NotifySocket.take({ NOTIFY_SOCKET: join(notify, 'socket') }), [], logger)
  const first = await begin(path, 'always', areas())
  t.equal(first.keeper()?.kept(), null, 'nothing has changed')
  first.store.set('k', 1)
  t.equal(first.state()?.pending, 1)
  await first.keeper()?.kept()
  t.equal(first.state()?.pending, 0)
  first.end()
  const behind = await begin(path, 'behind', areas())
  behind.store.set('k', 2)
  t.equal(behind.keeper()?.kept(), null, 'and written behind it is answered at once')
  behind.end()
})

t.test('a folder of another user is refused', { skip: !isRoot && 'needs root' }, async (t) => {
  const path = folderOf(t)
  mkdirSync(path, { mode: 0o700 })
  chownSync(path, OTHER_UID, OTHER_UID)
  await t.rejects(begin(path), { code: 'ERR_SECURITY' })
})

t.test('a value that is damaged on disk is left out, and said', async (t) => {
  const path = folderOf(t)
  const first = await begin(path)
  first.store.set('good', 1)
  first.store.set('bad', 1)
  await first.written()
  first.end()
  const folder = await StateFolder.open(path, OWN, TRUSTED)
  await folder.commit(() => void folder.database('flags').put(Buffer.from('bad'), Buffer.alloc(40)))
  folder.close()
  lines.length = 0
  const second = await begin(path)
  t.strictSame(second.store.keys(), ['good'])
  t.match(lines.join(''), /"level":50.*"key":"bad".*is damaged: it is left out/)
  await second.written()
  second.end()
  lines.length = 0
  ;(await begin(path)).end()
  t.notMatch(lines.join(''), /damaged/, 'it is gone from the disk')
})

t.test(
  'a full disk is told, harms no value in memory, and is written again when there is room',
  {
    skip: !isRoot && 'needs root',
  },
  async (t) => {
    const path = mkdtempSync(join(support.nodeOs.tmpdir(), 'memsvc-full-'))
    const mounted = support.nodeChildProcess.spawnSync('mount', [
      '-t',
      'tmpfs',
      '-o',
      'size=1m,mode=700',
      'tmpfs',
      path,
    ])
    t.teardown(() => {
      support.nodeChildProcess.spawnSync('umount', ['-l', path])
      rmSync(path, { recursive: true })
    })
    if (mounted.status !== 0) return t.comment('no tmpfs can be mounted here')
    const always = await begin(path, 'always')
    const keep = async (bytes: number) => {
      always.store.set('k', Buffer.alloc(bytes, 1))
      await always.keeper()?.kept()
    }
    await keep(1000)
    await t.rejects(keep(2_000_000), { code: 'ERR_ILLEGAL_STATE', message: /could not be written to disk yet/ })
    t.equal((always.store.get('k') as Uint8Array).length, 2_000_000)
    t.match(always.state(), { failing: true })
    await keep(2000)
    t.match(always.state(), { failing: false, pending: 0 })
    always.end()
  },
)
