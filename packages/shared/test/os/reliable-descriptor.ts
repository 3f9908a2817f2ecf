/**
 * What the ends of reliable pipes and socket pairs learn of each other. Two acts: each way for a peer to end, in this
 * process and in another; then every method in every state an end can be in.
 */
import { closeSync } from 'node:fs'
import t, { type Test } from 'tap'
import { Parcel, ParcelFileDescriptor } from '../../src/index.ts'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)
support.watchdog(t)

interface Expected {
  code: string
  message?: string
}

const DEAD = { code: 'ERR_REMOTE_ERROR', message: 'Remote side is dead' }
const LEAKED = { code: 'ERR_REMOTE_ERROR', message: 'Remote side was leaked' }
const DETACHED = { code: 'ERR_DETACHED', message: 'Remote side is detached' }

/** One end as users have it, and the other one bare. */
function endAndPeer(t: Test): { pfd: ParcelFileDescriptor; peer: support.DescriptorEnd } {
  const [own, peer] = support.reliableEnds(support.blockingSocketPair())
  const pfd = new ParcelFileDescriptor(...own)
  t.teardown(() => {
    pfd.close()
    closeInSilence(peer)
  })
  return { pfd, peer }
}

/** What the kernel does with the descriptors of a process that dies. */
function closeInSilence([fd, comm]: support.DescriptorEnd): void {
  fd.close()
  comm?.close()
}

function checkError(t: Test, pfd: ParcelFileDescriptor, error: Expected | null): void {
  if (error === null) t.doesNotThrow(() => pfd.checkError())
  else t.throws(() => pfd.checkError(), error)
}

t.test('errors can be asked for before there are any, as often as one likes', async (t) => {
  const [red, blue] = ParcelFileDescriptor.createReliableSocketPair()
  for (let times = 0; times < 3; times++) t.doesNotThrow(() => blue.checkError())
  red.closeWithError('RED RAWR')
  for (let times = 0; times < 3; times++) {
    t.throws(() => blue.checkError(), { code: 'ERR_REMOTE_ERROR', message: 'Remote error: RED RAWR' })
  }
  blue.close()
  t.throws(() => blue.checkError(), { message: 'Remote error: RED RAWR' }, 'also after closing')
})

t.test('if both ends close with an error, only the second one learns of it', async (t) => {
  const [red, blue] = ParcelFileDescriptor.createReliableSocketPair()
  blue.closeWithError('BLUE RAWR')
  red.closeWithError('RED RAWR')
  t.throws(() => red.checkError(), { message: 'Remote error: BLUE RAWR' })
  t.doesNotThrow(() => blue.checkError())
})

t.test('closing with an error needs a text', async (t) => {
  const { pfd } = endAndPeer(t)
  const closeWith = (message: unknown) => () => Reflect.apply(pfd.closeWithError, pfd, [message])
  t.throws(closeWith(null), { code: 'ERR_INVALID_ARG_VALUE', message: 'Message must not be null' })
  t.throws(closeWith(7), { code: 'ERR_INVALID_ARG_TYPE' })
  t.equal(pfd.getFileDescriptor().valid(), true)
  pfd.closeWithError('')
})

t.test('a long error arrives with its beginning', async (t) => {
  const [red, blue] = ParcelFileDescriptor.createReliablePipe()
  blue.closeWithError('é'.repeat(2_000))
  t.throws(() => red.checkError(), { message: `Remote error: ${'é'.repeat(510)}` })
  red.close()
})

t.test('each way to end in another process is told apart', async (t) => {
  const endings: [support.Action, Expected | null][] = [
    ['close', null],
    ['fail', { code: 'ERR_REMOTE_ERROR', message: 'Remote error: from another process' }],
    ['detach', DETACHED],
    ['leak', LEAKED],
  ]
  for (const [action, error] of endings) {
    const { pfd, peer } = endAndPeer(t)
    await support.giveAway(peer, action)
    checkError(t, pfd, error)
  }
})

t.test('a leaked descriptor is closed and reported by a warning', async (t) => {
  const { pfd, peer } = endAndPeer(t)
  const printed = await support.giveAway(peer, 'leak')
  t.match(JSON.parse(printed), { code: 'MEMSVC_LEAK' })
  const input = new ParcelFileDescriptor.AutoCloseInputStream(new ParcelFileDescriptor(pfd))
  t.throws(() => input.read(), LEAKED, 'its data is at the end')
})

t.test('a process that is killed is a dead peer', async (t) => {
  const { pfd, peer } = endAndPeer(t)
  await support.giveAwayAndKill(peer)
  checkError(t, pfd, DEAD)
})

/** The states an end can be in, each made afresh. `closed` and the peer's are the two axes. */
const states: { name: string; enter: (pfd: ParcelFileDescriptor, peer: support.DescriptorEnd) => void; is: State }[] = [
  { name: 'open', enter: () => {}, is: { isOpen: true, hasComm: true, error: null } },
  { name: 'closed', enter: (pfd) => pfd.close(), is: { isOpen: false, hasComm: false, error: null } },
  {
    name: 'closed with an error',
    enter: (pfd) => pfd.closeWithError('mine'),
    is: { isOpen: false, hasComm: false, error: null },
  },
  {
    name: 'detached',
    enter: (pfd) => closeSync(pfd.detachFd()),
    is: { isOpen: false, hasComm: false, error: null },
  },
  {
    name: 'closed through its FileDescriptor',
    enter: (pfd) => pfd.getFileDescriptor().close(),
    is: { isOpen: false, hasComm: true, error: null },
  },
  {
    name: 'open with a closed peer',
    enter: (_, peer) => end(peer, support.STATUS.OK),
    is: { isOpen: true, hasComm: true, error: null },
  },
  {
    name: 'open with a peer that closed with an error',
    enter: (_, peer) => end(peer, support.STATUS.ERROR, 'theirs'),
    is: { isOpen: true, hasComm: true, error: { code: 'ERR_REMOTE_ERROR', message: 'Remote error: theirs' } },
  },
  {
    name: 'open with a detached peer',
    enter: (_, peer) => end(peer, support.STATUS.DETACHED),
    is: { isOpen: true, hasComm: true, error: DETACHED },
  },
  {
    name: 'open with a leaked peer',
    enter: (_, peer) => end(peer, support.STATUS.LEAKED),
    is: { isOpen: true, hasComm: true, error: LEAKED },
  },
  {
    name: 'open with a dead peer',
    enter: (_, peer) => closeInSilence(peer),
    is: { isOpen: true, hasComm: true, error: DEAD },
  },
  {
    name: 'closed after its peer died',
    enter: (pfd, peer) => {
      closeInSilence(peer)
      pfd.close()
    },
    is: { isOpen: false, hasComm: false, error: DEAD },
  },
]

interface State {
  isOpen: boolean
  hasComm: boolean
  /** What checkError throws. */
  error: Expected | null
}

function end([fd, comm]: support.DescriptorEnd, status: number, message?: string): void {
  if (comm !== null) new support.CommChannel(comm).close(status, message)
  fd.close()
}

/** What each method does in a state: answers a value, or throws what matches. */
const methods: {
  name: string
  call: (pfd: ParcelFileDescriptor) => unknown
  expect: (state: State) => { value?: unknown; error?: Expected | null }
}[] = [
  { name: 'getFd', call: (pfd) => pfd.getFd() >= 0, expect: openOnly(true) },
  { name: 'detachFd', call: (pfd) => closeSync(pfd.detachFd()), expect: openOnly(undefined) },
  { name: 'dup', call: (pfd) => pfd.dup().close(), expect: openOnly(undefined) },
  {
    name: 'seekTo',
    call: (pfd) => pfd.seekTo(0),
    expect: ({ isOpen }) => ({ error: { code: isOpen ? 'ESPIPE' : 'ERR_CLOSED' } }),
  },
  { name: 'writeToParcel', call: (pfd) => writtenSize(pfd), expect: openOnly(4 + 24 + 24) },
  {
    name: 'getFileDescriptor',
    call: (pfd) => pfd.getFileDescriptor().valid(),
    expect: ({ isOpen }) => ({ value: isOpen }),
  },
  { name: 'getStatSize', call: (pfd) => pfd.getStatSize(), expect: () => ({ value: -1 }) },
  {
    name: 'canDetectErrors',
    call: (pfd) => pfd.canDetectErrors(),
    expect: ({ hasComm }) => ({ value: hasComm }),
  },
  { name: 'checkError', call: (pfd) => pfd.checkError(), expect: ({ error }) => ({ error }) },
  { name: 'describeContents', call: (pfd) => pfd.describeContents(), expect: () => ({ value: 1 }) },
  {
    name: 'toString',
    call: (pfd) => /^\{ParcelFileDescriptor: FileDescriptor\[-?\d+\]\}$/.test(pfd.toString()),
    expect: () => ({ value: true }),
  },
  { name: 'close', call: (pfd) => pfd.close(), expect: () => ({}) },
  { name: 'close, twice', call: (pfd) => [pfd.close(), pfd.close()].length, expect: () => ({ value: 2 }) },
  { name: 'closeWithError', call: (pfd) => pfd.closeWithError('mine'), expect: () => ({}) },
]

function openOnly(value: unknown) {
  return ({ isOpen }: State) => (isOpen ? { value } : { error: { code: 'ERR_CLOSED' } })
}

function writtenSize(pfd: ParcelFileDescriptor): number {
  const parcel = Parcel.obtain()
  try {
    pfd.writeToParcel(parcel, 0)
    return parcel.dataSize()
  } finally {
    parcel.recycle()
  }
}

for (const { name, enter, is } of states) {
  t.test(`every method of an end that is ${name}`, async (t) => {
    for (const method of methods) {
      const { pfd, peer } = endAndPeer(t)
      enter(pfd, peer)
      const { value, error = null } = method.expect(is)
      if (error === null) t.equal(method.call(pfd), value, method.name)
      else t.throws(() => method.call(pfd), error, method.name)
    }
  })
}
