import { openSync } from 'node:fs'
import { MemoryFile } from '@memsvc/shared'
import { leakChecked } from '@memsvc/shared/test-support'
import { OwnedFd } from 'memfd-native'
import t from 'tap'
import { countDescriptors, countRegionMappings } from '../src/process-status.ts'

leakChecked(t)

t.test('descriptors are counted, without the one that counting takes', async (t) => {
  const before = countDescriptors()
  t.equal(countDescriptors(), before)
  const fd = OwnedFd.adopt(openSync('/dev/null', 'r'))
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
