/** Who reads what a program prints has gone: known of pipes and sockets at once, of nothing else ever, and nothing fails. */
import { constants, socketpair } from 'memfd-native'
import t from 'tap'
import { whenReaderIsGone } from '../../src/command/reader-gone.ts'
import { ParcelFileDescriptor } from '../../src/index.ts'
import { nodeFs, nodePath, nodeTimers } from '../../test-support/index.ts'

/** Keeps the process: the watch does not. */
async function gone(fd: number, leave: () => void): Promise<void> {
  const keepAlive = setInterval(() => undefined, 1000)
  await new Promise<void>((resolve) => {
    whenReaderIsGone(fd, resolve)
    leave()
  })
  clearInterval(keepAlive)
}

t.test('the reader of a pipe', async (t) => {
  const [read, write] = ParcelFileDescriptor.createPipe()
  await gone(write.getFd(), () => read.close())
  write.close()
  t.pass('it was told')
})

t.test('the other side of a socket, also where it had said something', async (t) => {
  const [ours, others] = socketpair(constants.SOCK_STREAM)
  t.teardown(() => ours.close())
  await gone(ours.fd, () => others.close())
  t.pass('it was told')
})

t.test('a file, a device or a closed number has no reader to watch, and nothing fails', async (t) => {
  const path = nodePath.join(t.testdir({}), 'file')
  const descriptors = [nodeFs.openSync(path, 'w'), nodeFs.openSync('/dev/null', 'w')]
  for (const fd of [...descriptors, 1_000_000, -1]) whenReaderIsGone(fd, () => t.fail(`${fd} was told`))
  for (const fd of descriptors) nodeFs.closeSync(fd)
  for (let i = 0; i < 5; i++) await nodeTimers.setImmediate()
})
