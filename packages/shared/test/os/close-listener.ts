import { dup } from 'memfd-native'
import t, { type Test } from 'tap'
import { type OnClose, ParcelFileDescriptor } from '../../src/index.ts'
import { listenedEnd } from '../../src/os/descriptor-ends.ts'
import * as support from '../../test-support/index.ts'

support.leakChecked(t)
support.watchdog(t)

const { MODE_READ_ONLY } = ParcelFileDescriptor

/** A listener, the promise of what it is told, and all that it was told. */
function listener() {
  const told: (Error | null)[] = []
  let onClose: OnClose = () => {}
  const closed = new Promise<Error | null>((resolve) => {
    onClose = (error) => {
      told.push(error)
      resolve(error)
    }
  })
  return { onClose, told, closed }
}

const endings = [
  { name: 'closes', end: (pfd: ParcelFileDescriptor) => pfd.close(), error: null },
  {
    name: 'closes with an error',
    end: (pfd: ParcelFileDescriptor) => pfd.closeWithError('OMG MUFFINS'),
    error: { code: 'ERR_REMOTE_ERROR', message: 'Remote error: OMG MUFFINS' },
  },
  {
    name: 'detaches',
    end: (pfd: ParcelFileDescriptor) => ParcelFileDescriptor.adoptFd(pfd.detachFd()).close(),
    error: { code: 'ERR_DETACHED', message: 'Remote side is detached' },
  },
]

for (const { name, end, error } of endings) {
  t.test(`a listener is told once, later, that the holder ${name}`, async (t) => {
    const { onClose, told, closed } = listener()
    const pfd = ParcelFileDescriptor.open('/dev/null', MODE_READ_ONLY, onClose)
    t.equal(pfd.canDetectErrors(), true)
    end(pfd)
    t.equal(told.length, 0, 'not while the holder is closing')
    checkError(t, await closed, error)
    pfd.close()
    for (let turn = 0; turn < 3; turn++) await support.nodeTimers.setImmediate()
    t.equal(told.length, 1)
  })
}

function checkError(t: Test, found: Error | null, wanted: object | null): void {
  if (wanted === null) t.equal(found, null)
  else t.match(found, wanted)
}

t.test('a holder that is open is no news', async (t) => {
  const { onClose, told, closed } = listener()
  const pfd = ParcelFileDescriptor.open('/dev/null', MODE_READ_ONLY, onClose)
  for (let turn = 0; turn < 5; turn++) await support.nodeTimers.setImmediate()
  pfd.checkError()
  t.equal(told.length, 0)
  pfd.close()
  t.equal(await closed, null)
})

t.test('wrap moves the descriptor to one that reports its closing', async (t) => {
  const { onClose, closed } = listener()
  const plain = ParcelFileDescriptor.open('/dev/null', MODE_READ_ONLY)
  const number = plain.getFd()
  const wrapped = ParcelFileDescriptor.wrap(plain, onClose)
  t.equal(wrapped.getFd(), number)
  t.ok(support.nodeFs.fstatSync(number).isCharacterDevice())
  t.throws(() => plain.getFd(), { code: 'ERR_CLOSED' })
  plain.close()
  t.equal(wrapped.getFileDescriptor().valid(), true)
  wrapped.close()
  t.equal(await closed, null)
})

t.test('wrapping the end of a reliable pipe tells its peer that it is detached', async (t) => {
  const { onClose, closed } = listener()
  const [source, sink] = ParcelFileDescriptor.createReliablePipe()
  const wrapped = ParcelFileDescriptor.wrap(sink, onClose)
  t.throws(() => source.checkError(), { code: 'ERR_DETACHED' })
  wrapped.close()
  source.close()
  t.equal(await closed, null)
})

t.test('a listener is told of the end in another process', async (t) => {
  for (const [action, error] of [
    ['close', null],
    ['fail', { code: 'ERR_REMOTE_ERROR', message: 'Remote error: from another process' }],
    ['detach', { code: 'ERR_DETACHED' }],
    ['leak', { code: 'ERR_REMOTE_ERROR', message: 'Remote side was leaked' }],
  ] as const) {
    const { onClose, closed } = listener()
    await support.giveAway(listenedEnd(dup(0), onClose), action)
    checkError(t, await closed, error)
  }
})

t.test('a listener is told of the death of the holding process', async (t) => {
  const { onClose, closed } = listener()
  await support.giveAwayAndKill(listenedEnd(dup(0), onClose))
  t.match(await closed, { code: 'ERR_REMOTE_ERROR', message: 'Remote side is dead' })
})

t.test('a process that waits only for a close lives until it is told', async (t) => {
  const program = support.nodeUrl.fileURLToPath(import.meta.resolve('../../test-support/fixtures/await-close.js'))
  const { status, stdout } = support.nodeChildProcess.spawnSync(process.execPath, [program], { encoding: 'utf8' })
  t.equal(stdout, 'told Remote error: good bye')
  t.equal(status, 0)
})

t.test('a listener is a function, and the source is not touched otherwise', async (t) => {
  const pfd = ParcelFileDescriptor.open('/dev/null', MODE_READ_ONLY)
  const { open, wrap } = ParcelFileDescriptor
  t.throws(() => Reflect.apply(wrap, null, [pfd, null]), {
    code: 'ERR_INVALID_ARG_VALUE',
    message: 'Listener must not be null',
  })
  t.throws(() => Reflect.apply(wrap, null, [pfd, 'listener']), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => Reflect.apply(wrap, null, [null, () => {}]), { code: 'ERR_NULL_POINTER' })
  t.throws(() => Reflect.apply(wrap, null, [3, () => {}]), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => Reflect.apply(open, null, ['/dev/null', MODE_READ_ONLY, null]), { code: 'ERR_INVALID_ARG_VALUE' })
  t.equal(pfd.getFileDescriptor().valid(), true)
  pfd.close()
  t.throws(() => wrap(pfd, () => {}), { code: 'ERR_CLOSED' })
})
