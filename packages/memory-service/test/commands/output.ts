/** What memsvc prints arrives whole, or it says why not: as what memclient prints does. */
import { ReaderGone } from '@memsvc/shared/internal'
import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import { OwnedFd, pipe } from 'memfd-native'
import t from 'tap'
import { nodeChildProcess, nodeEvents, nodeFs, Output } from '../../test-support/index.ts'

watchdog(t)
leakChecked(t)
const LINE = 'größer '.repeat(40_000)

/** Full: the next byte has to wait. */
function fill(sink: OwnedFd): number {
  for (let bytes = 0; ; ) {
    try {
      bytes += nodeFs.writeSync(sink.fd, Buffer.alloc(4096))
    } catch {
      return bytes
    }
  }
}

function thrownBy(act: () => void): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
}

t.test('a line of any length waits for a slow reader of a descriptor that does not block', async (t) => {
  const [reader, writer] = pipe(nodeFs.constants.O_NONBLOCK)
  using source = reader
  const bytes = fill(writer)
  // A program of its own, with a file to put it: nothing here can read while this thread waits.
  const file = `${t.testdir()}/read`
  using target = OwnedFd.adopt(nodeFs.openSync(file, 'w'))
  const cat = nodeChildProcess.spawn('cat', { stdio: [source.fd, target.fd, 'inherit'] })
  new Output(writer.fd).line(LINE)
  writer.close()
  await nodeEvents.once(cat, 'close')
  t.ok(nodeFs.readFileSync(file, 'utf8').slice(bytes) === `${LINE}\n`)
})

t.test('a reader that has gone is told apart from other errors', async (t) => {
  const [reader, writer] = pipe()
  using sink = writer
  reader.close()
  t.type(
    thrownBy(() => new Output(sink.fd).line('42')),
    ReaderGone,
  )
  using full = OwnedFd.adopt(nodeFs.openSync('/dev/full', 'w'))
  t.throws(() => new Output(full.fd).line('42'), { exitCode: 1, message: /^cannot write to stdout: ENOSPC/ })
})
