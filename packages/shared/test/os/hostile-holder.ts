/**
 * A region that is sealed for readers, in the hands of root and of a stranger: with what `shareReadOnly` answers, and with
 * the read-write dup that `getParcelFileDescriptor` answers.
 */
import { constants, fstat, getSeals, lseek } from 'memfd-native'
import t from 'tap'
import { MemoryFile, type ParcelFileDescriptor } from '../../src/index.ts'
import { borrowFd } from '../../src/os/file-descriptor.ts'
import { attack, expectedReport, HOLDERS, leakChecked } from '../../test-support/index.ts'

leakChecked(t)

const CONTENTS = 'kept'

const DESCRIPTORS: [title: string, kind: 'read-only' | 'dup', get: (file: MemoryFile) => ParcelFileDescriptor][] = [
  ['the answer of shareReadOnly', 'read-only', (file) => file.shareReadOnly()],
  ['a dup', 'dup', (file) => file.getParcelFileDescriptor()],
]

for (const holder of HOLDERS) {
  for (const [what, kind, get] of DESCRIPTORS) {
    t.test(`${holder.title} with ${what} changes nothing`, async (t) => {
      using file = new MemoryFile('attacked', CONTENTS.length)
      file.getOutputStream().write(Buffer.from(CONTENTS))
      file.shareReadOnly().close()
      const region = borrowFd(file.getFileDescriptor())
      const seals = getSeals(region)
      using descriptor = get(file)

      t.same(attack(descriptor.getFd(), holder), { report: expectedReport(holder, kind), contents: CONTENTS })

      const contents = Buffer.alloc(CONTENTS.length)
      file.readBytes(contents, 0, 0, contents.length)
      t.equal(contents.toString(), CONTENTS)
      t.equal(fstat(region).size, CONTENTS.length)
      t.equal(getSeals(region), seals)
      file.writeInt32BE(0, 7)
      t.equal(file.readInt32BE(0), 7, 'and the owner still writes')
      if (kind === 'read-only') t.equal(lseek(region, 0, constants.SEEK_CUR), 0, 'the offset is the holder’s own')
    })
  }
}
