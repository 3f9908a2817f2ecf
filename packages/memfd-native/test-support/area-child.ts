/** Another process that owns an area and writes it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { AreaReader, constants, FdWatcher, recvmsg, socketpair } from '../src/index.ts'
import { fixturePath } from './fixture.ts'

export interface WritingChild extends AsyncDisposable {
  child: ChildProcess
  reader: AreaReader
  /** kill -9, and until it has ended. */
  kill(): Promise<void>
}

/** Starts it, and attaches its area. */
export async function startWriting(sizes: readonly number[]): Promise<WritingChild> {
  const [ours, theirs] = socketpair(constants.SOCK_SEQPACKET)
  const args = [fixturePath('writes-an-area'), ...sizes.map(String)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', theirs.fd] })
  theirs.close()
  const ended = once(child, 'exit')
  await new Promise<void>((resolve) => {
    const watcher = new FdWatcher(ours, 'readable', () => {
      watcher.close()
      resolve()
    })
  })
  const { fds } = recvmsg(ours, 16, 1)
  ours.close()
  const [fd] = fds
  if (fd === undefined) throw new Error('the child has sent no area')
  const reader = AreaReader.attach(fd)
  fd.close()
  const kill = async () => {
    child.kill('SIGKILL')
    await ended
  }
  return {
    child,
    reader,
    kill,
    async [Symbol.asyncDispose]() {
      reader.close()
      await kill()
    },
  }
}
