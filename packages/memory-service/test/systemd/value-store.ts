/** The value over the end of a daemon: what is kept, what of it is believed, and what is not kept. */

import { MemoryFile } from '@memsvc/shared'
import { addSeals, constants, dup, fstat, ftruncate, memfdCreate, OwnedFd, pipe } from 'memfd-native'
import { type Logger, pino } from 'pino'
import t, { type Test } from 'tap'
import * as support from '../../test-support/index.ts'

const { F_SEAL_SHRINK, MFD_ALLOW_SEALING } = constants

support.watchdog(t)
support.leakChecked(t)

/** A region as a daemon leaves it behind. */
function region(value: number): OwnedFd {
  const file = new MemoryFile('Ashmem', 4)
  file.writeInt32BE(0, value)
  file.shareReadOnly().close()
  const kept = dup(file.getFileDescriptor().getInt())
  file.close()
  return kept
}

function memfd(size: number, seals: number): OwnedFd {
  using file = memfdCreate('stranger', MFD_ALLOW_SEALING)
  ftruncate(file, size)
  addSeals(file, seals)
  return OwnedFd.adopt(file.release())
}

function logTo(lines: string[]): Logger {
  return pino({ base: null }, { write: (line) => lines.push(line) })
}

/** A store that was handed these, without a systemd to keep any. */
function storeOf(t: Test, inherited: { name: string; fd: OwnedFd }[], lines: string[] = []): support.ValueStore {
  const store = new support.ValueStore(null, inherited, logTo(lines))
  t.teardown(() => store.close())
  return store
}

t.test('nothing kept: the value is 0', async (t) => {
  t.equal(storeOf(t, []).lastValue('A'), 0)
})

t.test('the value is the one of the newest region of that service', async (t) => {
  const store = storeOf(t, [
    { name: 'A@10', fd: region(-10) },
    { name: 'A@9', fd: region(9) },
    { name: 'B@11', fd: region(11) },
  ])
  t.equal(store.lastValue('A'), -10)
  t.equal(store.lastValue('B'), 11)
  t.equal(store.lastValue('C'), 0)
})

const strangers: [string, () => OwnedFd][] = [
  ['no memfd', () => pipe().map((end, i) => (i === 0 ? end : end.close()))[0] as OwnedFd],
  ['not sealed against shrinking', () => memfd(4, 0)],
  ['too short', () => memfd(3, F_SEAL_SHRINK)],
  ['too long', () => memfd(5, F_SEAL_SHRINK)],
]
for (const [name, make] of strangers) {
  t.test(`a descriptor that is ${name} is not believed: the value is 0, and an error is logged`, async (t) => {
    const lines: string[] = []
    t.equal(storeOf(t, [{ name: 'A@1', fd: make() }], lines).lastValue('A'), 0)
    t.match(lines, [/"level":50.*its value is lost/])
  })
}

t.test('a descriptor that was not kept by a daemon is closed at once', async (t) => {
  const stranger = memfd(4, F_SEAL_SHRINK)
  const { fd } = stranger
  storeOf(t, [{ name: 'stored', fd: stranger }])
  t.throws(() => fstat(fd), { code: 'EBADF' })
})

t.test('systemd is given the new region first, and told to drop the old ones then', async (t) => {
  const folder = support.nodeFs.mkdtempSync(support.nodePath.join(support.nodeOs.tmpdir(), 'memsvc-'))
  t.teardown(() => support.nodeFs.rmSync(folder, { recursive: true }))
  const path = support.nodePath.join(folder, 'notify')
  const listener = new support.NotifyListener(t, path)
  const socket = support.NotifySocket.take({ NOTIFY_SOCKET: path })
  const inherited = [
    { name: 'A@3', fd: region(3) },
    { name: 'B@5', fd: region(5) },
  ]
  const store = new support.ValueStore(socket, inherited, logTo([]))
  const file = new MemoryFile('Ashmem', 4)
  t.teardown(() => file.close())
  store.keep('A', file.getFileDescriptor())
  const { lines, fds } = await listener.next()
  t.strictSame(lines, ['FDSTORE=1', 'FDNAME=A@6', 'FDPOLL=0'])
  t.strictSame(
    fds.map((fd) => fstat(fd).ino),
    [fstat(file.getFileDescriptor().getInt()).ino],
  )
  for (const fd of fds) fd.close()
  t.strictSame((await listener.next()).lines, ['FDSTOREREMOVE=1', 'FDNAME=A@3'])
  t.strictSame((await listener.next()).lines, ['FDSTOREREMOVE=1', 'FDNAME=B@5'])
})

t.test('a systemd that cannot be reached costs a warning, no more', async (t) => {
  const lines: string[] = []
  const socket = support.NotifySocket.take({
    NOTIFY_SOCKET: support.nodePath.join(support.nodeOs.tmpdir(), 'memsvc-nobody', 'notify'),
  })
  const file = new MemoryFile('Ashmem', 4)
  t.teardown(() => file.close())
  new support.ValueStore(socket, [], logTo(lines)).keep('A', file.getFileDescriptor())
  t.match(lines, [/"level":40.*will not survive/])
})
