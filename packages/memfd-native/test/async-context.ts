/** Async contexts: each callback runs in the one in which it was given, and nothing in that of whoever was the first. */
import { AsyncLocalStorage } from 'node:async_hooks'
import t from 'tap'
import * as native from '../src/index.ts'
import { leakChecked, tempFolder } from '../test-support/index.ts'

const { captureContext, constants, FdWatcher, Hub, inNoContext, inThisContext, nodeTimers, sendmsg, socketpair } =
  native
const als = new AsyncLocalStorage<string>()
const seen = () => als.getStore() ?? 'none'
als.run('first', () => Hub.current())
leakChecked(t)

t.test('a watcher calls back in the context in which it was made, or in none', async (t) => {
  for (const [inNone, expected] of [
    [false, 'maker'],
    [true, 'none'],
  ] as const) {
    const [a, b] = socketpair(constants.SOCK_SEQPACKET)
    const context = await new Promise<string>((resolve) => {
      const onReadable = () => {
        watcher.close()
        resolve(seen())
      }
      const watcher = als.run('maker', () => new FdWatcher(b, 'readable', onReadable, { inNoContext: inNone }))
      als.run('sender', () => sendmsg(a, Buffer.from('x')))
    })
    t.equal(context, expected)
    a.close()
    b.close()
  }
})

t.test('a socket of the hub tells in the context in which it was attached, or in none', async (t) => {
  for (const [inNone, expected] of [
    [false, 'attached'],
    [true, 'none'],
  ] as const) {
    const [a, b] = socketpair(constants.SOCK_SEQPACKET)
    const told: string[] = []
    await new Promise<void>((resolve) => {
      const handler = {
        onPacket: () => told.push(seen()),
        onWritable: () => undefined,
        onEnd: () => {
          told.push(seen())
          resolve()
        },
      }
      const options = { acceptsFileDescriptors: false, inNoContext: inNone }
      const socket = als.run('attached', () => Hub.current().attach(b, handler, options))
      t.teardown(() => socket.close())
      als.run('sender', () => sendmsg(a, Buffer.from('x')))
      a.close()
      Hub.current().ref()
    })
    Hub.current().unref()
    t.same(told, [expected, expected])
  }
})

t.test(
  'a function that runs in no context returns and throws as usual, and leaves the context of its caller as it is',
  (t) => {
    als.run('outer', () => {
      t.equal(
        inNoContext(() => seen()),
        'none',
      )
      t.throws(
        () =>
          inNoContext(() => {
            throw new RangeError(seen())
          }),
        { name: 'RangeError', message: 'none' },
      )
      t.equal(seen(), 'outer')
    })
    t.throws(() => inNoContext(1 as unknown as () => void), { code: 'ERR_INVALID_ARG_TYPE' })
    t.end()
  },
)

t.test('timers run in no context', async (t) => {
  const contexts = await als.run('outer', () =>
    Promise.all([
      new Promise<string>((resolve) => nodeTimers.setTimeout(() => resolve(seen()), 1)),
      new Promise<string>((resolve) => nodeTimers.setImmediate(() => resolve(seen()))),
      new Promise<string>((resolve) => {
        const timer = nodeTimers.setInterval(() => {
          nodeTimers.clearInterval(timer)
          resolve(seen())
        }, 1)
      }),
    ]),
  )
  t.same(contexts, ['none', 'none', 'none'])
})

t.test('a context that was captured is not changed by what runs in it', (t) => {
  const context = als.run('captured', () => captureContext('test'))
  const callback = als.run('given', () => inThisContext('test', (more: string) => `${seen()} ${more}`))
  context.runInAsyncScope(() => als.enterWith('entered'))
  t.equal(
    context.runInAsyncScope(() => seen()),
    'captured',
  )
  t.equal(callback('more'), 'given more')
  t.equal(seen(), 'none')
  t.end()
})

t.test('a context has a name, and a callback is a function', async (t) => {
  for (const name of ['', 5, null, undefined, {}]) {
    t.throws(() => captureContext(name as never), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' })
    t.throws(() => inThisContext(name as never, () => 1), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' })
  }
  for (const callback of [5, null, undefined, {}]) {
    t.throws(() => inThisContext('test', callback as never), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' })
  }
})

t.test('a listener of the hub asks and tells in the context in which it was given, or in none', async (t) => {
  for (const [options, expected] of [
    [{}, 'given'],
    [{ inNoContext: true }, 'none'],
  ] as const) {
    const path = `${tempFolder(t)}/socket`
    const fd = native.socket(constants.SOCK_SEQPACKET)
    native.bind(fd, path)
    native.listen(fd)
    const told: string[] = []
    await new Promise<void>((resolve) => {
      const handler = {
        refuse: () => {
          told.push(`refuse ${seen()}`)
          return null
        },
        onConnection: (fd: native.OwnedFd) => {
          told.push(`connection ${seen()}`)
          fd.close()
          resolve()
        },
        onAcceptFailed: () => undefined,
      }
      const listener = als.run('given', () => Hub.current().listen(fd, handler, options))
      t.teardown(() => listener.close())
      Hub.current().ref()
      const client = als.run('client', () => native.socket(constants.SOCK_SEQPACKET))
      native.connect(client, path)
      t.teardown(() => client.close())
    })
    Hub.current().unref()
    t.same(told, [`refuse ${expected}`, `connection ${expected}`])
  }
})

t.test('a stream tells in the context in which it was made, and of a write in that of the write', async (t) => {
  const [a, b] = socketpair(constants.SOCK_STREAM)
  const told: string[] = []
  const writer = als.run('writer', () => native.unixStream(a))
  const reader = als.run('reader', () => native.unixStream(b))
  als.run('listener', () => {
    reader.on('fds', (fds: number[]) => {
      told.push(`fds ${seen()}`)
      for (const number of fds) native.OwnedFd.adopt(number).close()
    })
    reader.on('data', () => told.push(`data ${seen()}`))
  })
  await new Promise(setImmediate) // nothing has come, and it waits
  await new Promise<void>((resolve) => {
    als.run('write', () =>
      writer.writeWithFds(Buffer.from('x'), [a], () => {
        told.push(`written ${seen()}`)
        resolve()
      }),
    )
  })
  await new Promise<void>((resolve) => {
    reader.on('end', resolve)
    als.run('end', () => writer.end())
  })
  t.same(told.sort(), ['data reader', 'fds reader', 'written write'])
  writer.destroy()
  reader.destroy()
})
