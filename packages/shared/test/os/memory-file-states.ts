/** Every method of MemoryFile in every state: an error code, or what it answers. */
import t from 'tap'
import { ashmem } from '../../src/os/ashmem.ts'
import { MemoryFile } from '../../src/os/memory-file.ts'
import type { ParcelFileDescriptor } from '../../src/os/parcel-file-descriptor.ts'
import { leakChecked, outcome } from '../../test-support/index.ts'

leakChecked(t)

const BYTES = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)
const STATES = ['open', 'deactivated', 'closed', 'sealed', 'purged', 'reference'] as const
type State = (typeof STATES)[number]

/** A file of BYTES in that state; `owner` is what must be closed besides. */
function fileIn(state: State): { file: MemoryFile; owner?: MemoryFile } {
  const file = new MemoryFile('states', BYTES.length)
  file.writeBytes(BYTES, 0, 0, BYTES.length)
  switch (state) {
    case 'open':
      break
    case 'deactivated':
      file.deactivate()
      break
    case 'closed':
      file.close()
      break
    case 'sealed':
      file.shareReadOnly().close()
      break
    case 'purged':
      file.allowPurging(true)
      ashmem.purgeAll()
      break
    case 'reference':
      return { file: new MemoryFile(file.getFileDescriptor(), BYTES.length, 'r'), owner: file }
  }
  return { file }
}

/** Closes what it is given, which a test can then compare. */
function opened(pfd: ParcelFileDescriptor): string {
  pfd.close()
  return 'a descriptor'
}

const INT = 0x01020304
const INT_LE = 0x04030201
const array = () => new Uint8Array(8)

/** The columns are STATES; strings in capitals are error codes. */
const DEAD = 'ERR_DEACTIVATED'
const PURGED = 'ERR_PURGED'
const NO_WRITE = 'ERR_READ_ONLY'
const NEVER = 'ERR_UNSUPPORTED_OPERATION'
const RANGE = 'ERR_OUT_OF_RANGE'
const FD = 'a descriptor'
const DONE = undefined
const DONE_IN_ALL = STATES.map(() => DONE)
// biome-ignore format: a table
const METHODS: [title: string, call: (file: MemoryFile) => unknown, answers: unknown[]][] = [
  ['length()', (f) => f.length(), [8, 8, 8, 8, 8, 8]],
  ['isDeactivated()', (f) => f.isDeactivated(), [false, true, true, false, false, false]],
  ['isPurgingAllowed()', (f) => f.isPurgingAllowed(), [false, false, false, false, true, false]],
  ['readBytes(all)', (f) => f.readBytes(array(), 0, 0, 8), [8, DEAD, DEAD, 8, PURGED, 8]],
  ['readBytes(nothing)', (f) => f.readBytes(array(), 8, 8, 0), [0, DEAD, DEAD, 0, PURGED, 0]],
  ['readBytes(too much)', (f) => f.readBytes(array(), 0, 0, 9), [RANGE, DEAD, DEAD, RANGE, RANGE, RANGE]],
  ['writeBytes(all)', (f) => f.writeBytes(array(), 0, 0, 8), [DONE, DEAD, DEAD, DONE, PURGED, NO_WRITE]],
  ['writeBytes(too much)', (f) => f.writeBytes(array(), 0, 0, 9), [RANGE, DEAD, DEAD, RANGE, RANGE, NO_WRITE]],
  ['readInt32BE()', (f) => f.readInt32BE(0), [INT, DEAD, DEAD, INT, PURGED, INT]],
  ['readInt32LE()', (f) => f.readInt32LE(0), [INT_LE, DEAD, DEAD, INT_LE, PURGED, INT_LE]],
  ['writeInt32BE()', (f) => f.writeInt32BE(0, 5), [DONE, DEAD, DEAD, DONE, PURGED, NO_WRITE]],
  ['writeInt32LE()', (f) => f.writeInt32LE(0, 5), [DONE, DEAD, DEAD, DONE, PURGED, NO_WRITE]],
  ['input.read()', (f) => f.getInputStream().read(), [1, DEAD, DEAD, 1, PURGED, 1]],
  ['input.read(buffer)', (f) => f.getInputStream().read(array()), [8, DEAD, DEAD, 8, PURGED, 8]],
  ['input.available()', (f) => f.getInputStream().available(), [8, 8, 8, 8, 8, 8]],
  ['input.skip()', (f) => f.getInputStream().skip(9), [8, 8, 8, 8, 8, 8]],
  ['output.write(byte)', (f) => f.getOutputStream().write(5), [DONE, DEAD, DEAD, DONE, PURGED, NO_WRITE]],
  ['output.write(buffer)', (f) => f.getOutputStream().write(array()), [DONE, DEAD, DEAD, DONE, PURGED, NO_WRITE]],
  ['output.flush()', (f) => f.getOutputStream().flush(), DONE_IN_ALL],
  ['allowPurging(true)', (f) => f.allowPurging(true), [false, false, DEAD, NEVER, true, NEVER]],
  ['allowPurging(false)', (f) => f.allowPurging(false), [false, false, DEAD, false, true, NEVER]],
  ['getFileDescriptor()', (f) => f.getFileDescriptor().valid(), [true, true, false, true, true, true]],
  ['getParcelFileDescriptor()', (f) => opened(f.getParcelFileDescriptor()), [FD, FD, DEAD, FD, FD, FD]],
  ['shareReadOnly()', (f) => opened(f.shareReadOnly()), [FD, FD, DEAD, FD, PURGED, NEVER]],
  ['isMemoryFile()', (f) => MemoryFile.isMemoryFile(f.getFileDescriptor()), [true, true, 'EBADF', true, true, true]],
  ['getSize()', (f) => MemoryFile.getSize(f.getFileDescriptor()), [8, 8, 'EBADF', 8, 8, 8]],
  ['deactivate()', (f) => f.deactivate(), DONE_IN_ALL],
  ['close()', (f) => f.close(), DONE_IN_ALL],
]

for (const [column, state] of STATES.entries()) {
  t.test(`a file that is ${state}`, async (t) => {
    for (const [title, call, answers] of METHODS) {
      const { file, owner } = fileIn(state)
      t.equal(
        outcome(() => call(file)),
        answers[column],
        title,
      )
      file.close()
      owner?.close()
    }
  })
}
