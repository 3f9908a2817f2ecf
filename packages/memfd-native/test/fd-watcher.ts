import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { constants, dup, type Fd, FdWatcher, type OwnedFd, pipe, recvmsg, sendmsg } from '../src/index.ts'
import { codeOf, leakChecked, runFixture, sizedMemfd, withPair } from '../test-support/index.ts'

leakChecked(t)
const hello = Buffer.from('hello')

/** Waits for the first callback of a watcher, and closes it. */
function ready(fd: Fd, events: 'readable' | 'writable'): Promise<void> {
  return new Promise((resolve) => {
    const watcher = new FdWatcher(fd, events, () => {
      watcher.close()
      resolve()
    })
  })
}

async function withPairAsync(use: (a: OwnedFd, b: OwnedFd) => Promise<void>): Promise<void> {
  const ends = withPair((a, b) => [dup(a), dup(b)] as const)
  try {
    await use(...ends)
  } finally {
    for (const end of ends) end.close()
  }
}

t.test('a watcher calls back when there is something to read', () =>
  withPairAsync(async (a, b) => {
    const waiting = ready(b, 'readable')
    sendmsg(a, hello)
    await waiting
    t.equal(recvmsg(b, 10).data.toString(), 'hello')
  }),
)

t.test('a watcher calls back when a full queue has room again', () =>
  withPairAsync(async (a, b) => {
    while (codeOf(() => sendmsg(a, hello)) === 'ok');
    const waiting = ready(a, 'writable')
    while (codeOf(() => recvmsg(b, 10)) === 'ok');
    await waiting
    t.equal(
      codeOf(() => sendmsg(a, hello)),
      'ok',
    )
  }),
)

t.test('a watcher calls back when the peer is gone', () =>
  withPairAsync(async (a, b) => {
    const waiting = ready(b, 'readable')
    a.close()
    await waiting
    t.equal(recvmsg(b, 10).data.length, 0)
  }),
)

t.test('as long as something is left to read it calls again', () =>
  withPairAsync(async (a, b) => {
    for (let i = 0; i < 3; i++) sendmsg(a, hello)
    await new Promise<void>((resolve) => {
      let calls = 0
      const watcher = new FdWatcher(b, 'readable', () => {
        recvmsg(b, 10)
        if (++calls < 3) return
        watcher.close()
        resolve()
      })
    })
    t.equal(
      codeOf(() => recvmsg(b, 10)),
      'EAGAIN',
    )
  }),
)

t.test('after close no callback comes, and close again is harmless', () =>
  withPairAsync(async (a, b) => {
    let calls = 0
    const watcher = new FdWatcher(b, 'readable', () => calls++)
    sendmsg(a, hello)
    watcher.close()
    watcher.close()
    watcher.ref()
    watcher.unref()
    for (let turn = 0; turn < 5; turn++) await setImmediate()
    t.equal(calls, 0)
  }),
)

t.test('the end of a using block closes the watcher', () =>
  withPairAsync(async (a, b) => {
    let calls = 0
    {
      using _watcher = new FdWatcher(b, 'readable', () => calls++)
      sendmsg(a, hello)
    }
    for (let turn = 0; turn < 5; turn++) await setImmediate()
    t.equal(calls, 0)
  }),
)

t.test('promises and nextTick run right after the callback', () =>
  withPairAsync(async (a, b) => {
    const order: string[] = []
    await new Promise<void>((resolve) => {
      const watcher = new FdWatcher(b, 'readable', () => {
        watcher.close()
        process.nextTick(() => order.push('tick'))
        Promise.resolve().then(() => order.push('promise'))
        order.push('callback')
        globalThis.setImmediate(resolve)
      })
      sendmsg(a, hello)
    })
    t.same(order, ['callback', 'tick', 'promise'])
  }),
)

t.test('two watchers of two descriptors each get their own', () =>
  withPairAsync(async (a, b) => {
    await Promise.all([ready(a, 'writable'), ready(b, 'writable')])
    t.pass('both called')
  }),
)

t.test('2,000 watchers made and closed leave nothing behind', () =>
  withPairAsync(async (_, b) => {
    for (let i = 0; i < 2000; i++) new FdWatcher(b, 'readable', () => {}).close()
    t.pass('the leak check sees none')
  }),
)

t.test('a descriptor may have two watchers, and each is told', () =>
  withPairAsync(async (_, b) => {
    await Promise.all([ready(b, 'writable'), ready(b, 'writable')])
    t.pass('both called')
  }),
)

t.test('a descriptor is watched for reading and for writing at once', () =>
  withPairAsync(async (a, b) => {
    let writable = 0
    const both = Promise.all([ready(b, 'readable'), ready(b, 'writable').then(() => (writable += 1))])
    while (writable === 0) await setImmediate()
    sendmsg(a, hello)
    await both
    t.equal(recvmsg(b, 10).data.toString(), 'hello')
  }),
)

t.test(
  'a descriptor that is closed, or names another file, in the turn in which it is watched does no harm',
  async (t) => {
    t.strictSame(runFixture('closes-what-it-watches'), { status: 0, signal: null, output: 'told 2 of 2', errors: '' })
  },
)

t.test('a file is watched until the watcher is closed, whatever becomes of the descriptor', async (t) => {
  const [reader, writer] = pipe(constants.O_NONBLOCK)
  const again = dup(reader)
  const waiting = ready(reader, 'readable')
  reader.close()
  writer.close()
  await waiting
  again.close()
  t.pass('the end of the pipe was told')
})

t.test('an error of a file is told again and again, as everything that is ready', async (t) => {
  const [reader, writer] = pipe(constants.O_NONBLOCK)
  let calls = 0
  await new Promise<void>((resolve) => {
    const watcher = new FdWatcher(writer, 'writable', () => {
      if (++calls === 1) reader.close() // POLLERR from here on
      if (calls < 5) return
      watcher.close()
      resolve()
    })
  })
  writer.close()
  t.equal(calls, 5)
})

const odd = (value: unknown) => value as never
const REFUSED: [string, (fd: Fd) => unknown, string][] = [
  ['a regular file', () => withMemfd((memfd) => new FdWatcher(memfd, 'readable', () => {})), 'EPERM'],
  ['a closed descriptor', () => new FdWatcher(-1, 'readable', () => {}), 'EBADF'],
  ['other events', (fd) => new FdWatcher(fd, odd('both'), () => {}), 'ERR_INVALID_ARG_VALUE'],
  ['a callback that is no function', (fd) => new FdWatcher(fd, 'readable', odd({})), 'ERR_INVALID_ARG_TYPE'],
  ['a descriptor that is a string', () => new FdWatcher(odd('3'), 'readable', () => {}), 'ERR_INVALID_ARG_TYPE'],
]
function withMemfd(use: (memfd: OwnedFd) => unknown): unknown {
  using memfd = sizedMemfd()
  return use(memfd)
}
for (const [what, attempt, code] of REFUSED) {
  t.test(`${what} is ${code}`, async (t) => {
    const [reader, writer] = pipe(constants.O_NONBLOCK)
    t.equal(
      codeOf(() => attempt(reader)),
      code,
    )
    reader.close()
    writer.close()
  })
}

t.test('a watcher keeps the process alive until unref, and again after ref', async (t) => {
  t.equal(runFixture('unrefs-a-watcher').output, 'ended by itself')
  t.equal(runFixture('refs-a-watcher').output, 'called back')
})

t.test('an error thrown in a callback is an uncaught exception', async (t) => {
  const { status, output } = runFixture('throws-in-a-watcher')
  t.equal(output, 'uncaught: from the callback')
  t.equal(status, 0)
})
