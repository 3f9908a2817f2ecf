/**
 * Objects that are forgotten: the garbage collector closes what they own and reports it. No leak check in this file, for
 * leaking is what it does.
 */
import t from 'tap'
import { ashmem } from '../../src/os/ashmem.ts'
import { MemoryFile } from '../../src/os/memory-file.ts'
import { SharedMemory } from '../../src/os/shared-memory.ts'
import { collectGarbage, openDescriptors, sharedMappings, watchdog } from '../../test-support/index.ts'

watchdog(t)

const NAME = 'forgotten'

/** The descriptors and mappings of regions called "forgotten". */
function held(): number {
  return [...openDescriptors(), ...sharedMappings()].filter((line) => line.includes(`memfd:${NAME} `)).length
}

const FORGETTERS: [title: string, held: number, forget: () => void][] = [
  ['a MemoryFile', 2, () => void new MemoryFile(NAME, 4)],
  ['a deactivated MemoryFile', 1, () => new MemoryFile(NAME, 4).deactivate()],
  ['a MemoryFile that allows purging', 2, () => void new MemoryFile(NAME, 4).allowPurging(true)],
  ['a SharedMemory', 1, () => void SharedMemory.create(NAME, 4)],
  ['a SharedMemory and its mapping', 2, () => void SharedMemory.create(NAME, 4).mapReadWrite()],
  ['a region of ashmem', 1, () => void ashmem.createRegion(NAME, 4)],
]

for (const [title, count, forget] of FORGETTERS) {
  t.test(`${title} that is forgotten is closed and reported`, async (t) => {
    const reports: unknown[] = []
    const report = (warning: Error & { code?: unknown }) => reports.push(warning.code)
    process.on('warning', report)
    t.teardown(() => process.off('warning', report))
    forget()
    t.equal(held(), count)
    while (reports.length < count) {
      await new Promise(setImmediate)
      collectGarbage()
    }
    t.equal(held(), 0)
    t.same(reports, new Array(count).fill('MEMSVC_LEAK'))
  })
}

t.test('a MemoryFile that is used is not collected', async (t) => {
  using file = new MemoryFile(NAME, 4)
  collectGarbage()
  await new Promise(setImmediate)
  file.writeInt32BE(0, 7)
  t.equal(file.readInt32BE(0), 7)
})
