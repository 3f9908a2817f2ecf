/** What becomes of a daemon whose stdout and stderr are closed, full, or not read by anybody. */

import { leakChecked, newRegistryPath, Program, startProgram, watchdog } from '@memsvc/shared/test-support'
import { constants, OwnedFd, pipe, setNonBlocking, socketpair } from 'memfd-native'
import t, { type Test } from 'tap'
import { MEMSVC, memsvc, nodeChildProcess, nodeFs, openValueSoon, statusOf } from '../../test-support/index.ts'

watchdog(t)
leakChecked(t)

const STREAMS: [title: string, open: (t: Test) => OwnedFd][] = [
  ['a full device', () => OwnedFd.adopt(nodeFs.openSync('/dev/full', 'w'))],
  [
    'a pipe that nobody reads, and that is full',
    (t) => {
      const [reader, writer] = pipe()
      t.teardown(() => reader.close())
      return fill(writer)
    },
  ],
  [
    'a pipe whose reader has gone away',
    () => {
      const [reader, writer] = pipe()
      reader.close()
      return writer
    },
  ],
  [
    'a socket that nobody reads, and that is full',
    (t) => {
      const [reader, writer] = socketpair(constants.SOCK_STREAM)
      t.teardown(() => reader.close())
      return fill(writer)
    },
  ],
]

for (const [title, open] of STREAMS) {
  t.test(`with ${title} for stdout and stderr it serves, and ends when it is told to`, async (t) => {
    const registry = newRegistryPath(t)
    using stream = open(t)
    await servesAndEnds(t, beginMemsvc(t, registry, stream), registry)
  })
}

t.test('without stdin, stdout and stderr it serves, and ends when it is told to', async (t) => {
  const registry = newRegistryPath(t)
  const command = [process.execPath, MEMSVC, 'start', '--registry', registry]
  const program = new Program(
    nodeChildProcess.spawn('env', ['-i', 'sh', '-c', 'exec "$@" <&- >&- 2>&-', 'sh', ...command]),
  )
  t.teardown(() => program.destroy())
  await servesAndEnds(t, program, registry)
})

t.test('log lines that nobody takes are counted, and told of when somebody does', async (t) => {
  const registry = newRegistryPath(t)
  const [reader, writer] = pipe(nodeFs.constants.O_NONBLOCK)
  using source = reader
  using sink = writer
  fill(sink)
  const program = beginMemsvc(t, registry, sink)
  const value = await openValueSoon(t, registry)
  const { droppedLogLines } = await statusOf(value)
  t.ok(droppedLogLines >= 3, `starting, hosting, ready: ${droppedLogLines}`)
  t.notMatch(drain(source), /msg/)
  t.match(await memsvc(registry, ['stop']), { code: 0 })
  await program.ending
  t.match(drain(source), /"dropped":\d+,"msg":"log lines were dropped"/)
})

/** Starts a daemon whose readiness nobody can read: it is ready when it can be used. */
function beginMemsvc(t: Test, registry: string, streams: OwnedFd): Program {
  const program = startProgram(MEMSVC, ['start', '--registry', registry, '--log-level', 'debug'], {
    stdout: streams.fd,
    stderr: streams.fd,
  })
  t.teardown(() => program.destroy())
  return program
}

async function servesAndEnds(t: Test, program: Program, registry: string): Promise<void> {
  const value = await openValueSoon(t, registry)
  for (const round of [1, 2, 3]) {
    await value.set(round)
    t.equal(value.get(), round)
  }
  program.kill('SIGTERM')
  t.match(await program.ending, { code: 0, signal: null })
}

/** Writes until nothing more goes in. Blocking for whoever has it next, as streams usually are. */
function fill(fd: OwnedFd): OwnedFd {
  setNonBlocking(fd, true)
  untilEagain(() => nodeFs.writeSync(fd.fd, Buffer.alloc(4096)))
  setNonBlocking(fd, false)
  return fd
}

/** What is there to read. */
function drain(fd: OwnedFd): string {
  let text = ''
  const bytes = Buffer.alloc(4096)
  untilEagain(() => {
    text += bytes.toString('latin1', 0, nodeFs.readSync(fd.fd, bytes))
  })
  return text
}

function untilEagain(step: () => void): void {
  try {
    for (;;) step()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
  }
}
