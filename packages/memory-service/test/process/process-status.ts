import { MemoryFile } from '@memsvc/shared'
import { leakChecked } from '@memsvc/shared/test-support'
import { OwnedFd } from 'memfd-native'
import t from 'tap'
import { countDescriptors, countRegionMappings, nodeFs, ProcessStatus } from '../../test-support/index.ts'

leakChecked(t)

t.test('descriptors are counted, without the one that counting takes', async (t) => {
  const before = countDescriptors()
  t.equal(countDescriptors(), before)
  const fd = OwnedFd.adopt(nodeFs.openSync('/dev/null', 'r'))
  t.equal(countDescriptors(), before + 1)
  fd.close()
  t.equal(countDescriptors(), before)
})

t.test('mappings of regions are counted, whether their descriptor is open or not', async (t) => {
  const before = countRegionMappings()
  const owner = new MemoryFile('a region', 4)
  t.equal(countRegionMappings(), before + 1)
  const shared = owner.shareReadOnly()
  const view = new MemoryFile(shared.getFileDescriptor(), 4, 'r')
  t.equal(countRegionMappings(), before + 2)
  shared.close()
  t.equal(countRegionMappings(), before + 2)
  view.deactivate()
  owner.close()
  t.equal(countRegionMappings(), before)
})

t.test('a second request gets the same counts, unless something has changed', async (t) => {
  const status = new ProcessStatus()
  const before = status.counts(1)
  t.strictSame(before, { fds: countDescriptors(), mappings: countRegionMappings() })
  const fd = OwnedFd.adopt(nodeFs.openSync('/dev/null', 'r'))
  t.teardown(() => fd.close())
  t.equal(status.counts(2).fds, before.fds + 1)
  const again = status.counts(2)
  t.equal(again, status.counts(2), 'it is not counted again')
})
