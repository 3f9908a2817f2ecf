import { leakChecked } from '@memsvc/shared/test-support'
import { constants, OwnedFd, pipe, recvmsg, setNonBlocking, socketpair } from 'memfd-native'
import t from 'tap'
import { DaemonLog } from '../../src/log/logger.ts'
import { nodeFs, nodePath } from '../../test-support/index.ts'

const READ_SIZE = 1 << 20

leakChecked(t)

/** What each line says, the last one last. */
function messages(text: string): string[] {
  return text
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { msg: string }).msg)
}

/** Both ends of something that can fill up. Closed by the caller. */
const CHANNELS: [title: string, open: () => { reader: OwnedFd; writer: OwnedFd; read: (fd: OwnedFd) => string }][] = [
  [
    'a pipe',
    () => {
      const [reader, writer] = pipe()
      const read = (fd: OwnedFd) => {
        const bytes = Buffer.alloc(READ_SIZE)
        return bytes.toString('utf8', 0, nodeFs.readSync(fd.fd, bytes))
      }
      return { reader, writer, read }
    },
  ],
  [
    'a socket',
    () => {
      const [reader, writer] = socketpair(constants.SOCK_STREAM)
      setNonBlocking(writer, false)
      return { reader, writer, read: (fd) => recvmsg(fd, READ_SIZE).data.toString() }
    },
  ],
]

for (const [title, open] of CHANNELS) {
  t.test(`a line to ${title} is JSON, with the time and the pid`, async (t) => {
    const { reader, writer, read } = open()
    using source = reader
    using sink = writer
    const log = new DaemonLog('info', { fd: sink.fd })
    log.logger.info({ uid: 7 }, 'hello')
    log.logger.debug('not at this level')
    log.close()
    const line = JSON.parse(read(source)) as Record<string, unknown>
    t.match(line, { level: 30, pid: process.pid, uid: 7, msg: 'hello' })
    t.ok(Date.parse(String(line.time)) > 0)
    t.equal(log.dropped, 0)
  })

  t.test(`lines that ${title} does not take are dropped, counted and reported; no line is torn`, async (t) => {
    const { reader, writer, read } = open()
    using source = reader
    using sink = writer
    const log = new DaemonLog('info', { fd: sink.fd })
    const filler = 'x'.repeat(10_000) // above PIPE_BUF: a pipe takes the beginning of the last one
    let taken = 0
    for (; log.dropped === 0; taken++) log.logger.info(filler)
    log.logger.info('lost')
    t.equal(log.dropped, 2)
    let text = read(source)
    log.logger.info('taken')
    log.close()
    text += read(source)
    t.strictSame(messages(text), [...Array(taken - 1).fill(filler), 'taken', 'log lines were dropped'])
    t.match(JSON.parse(text.trim().split('\n').at(-1) ?? ''), { level: 40, dropped: 2 })
  })
}

t.test('the descriptor stays as it was, for everybody who shares it', async (t) => {
  const [reader, writer] = pipe()
  using source = reader
  using sink = writer
  const flags = () => nodeFs.readFileSync(`/proc/self/fdinfo/${sink.fd}`, 'utf8').match(/^flags:.*$/m)?.[0]
  const before = flags()
  const log = new DaemonLog('info', { fd: sink.fd })
  log.logger.info('hello')
  t.equal(flags(), before)
  log.close()
  nodeFs.writeSync(sink.fd, 'still open\n')
  t.match(nodeFs.readSync(source.fd, Buffer.alloc(READ_SIZE)), Number)
})

t.test('a file is appended to', async (t) => {
  const path = nodePath.join(t.testdir({ log: 'before\n' }), 'log')
  const fd = nodeFs.openSync(path, 'r+')
  const log = new DaemonLog('info', { fd })
  log.logger.info('after')
  nodeFs.writeSync(fd, 'by others\n')
  log.logger.info('last')
  log.close()
  nodeFs.writeSync(fd, 'behind it\n')
  nodeFs.closeSync(fd)
  const lines = nodeFs.readFileSync(path, 'utf8').split('\n')
  t.match(lines, ['before', /"msg":"after"/, 'by others', /"msg":"last"/, 'behind it', ''])
})

t.test('a device that is full drops all lines, and throws nothing', async (t) => {
  using full = OwnedFd.adopt(nodeFs.openSync('/dev/full', 'w'))
  const log = new DaemonLog('info', { fd: full.fd })
  for (let i = 0; i < 3; i++) log.logger.info('hello')
  t.equal(log.dropped, 3)
  log.close()
  t.ok(nodeFs.fstatSync(full.fd), 'the descriptor is only borrowed')
})

t.test('a line after the end is dropped; the end may come twice', async (t) => {
  using sink = OwnedFd.adopt(nodeFs.openSync('/dev/null', 'w'))
  const log = new DaemonLog('info', { fd: sink.fd })
  log.close()
  log.close()
  log.logger.info('too late')
  t.equal(log.dropped, 1)
})
