/** What one process does to a region, another one that holds a descriptor of it sees (libcutils ForkTest and its kin). */
import { mmap } from 'memfd-native'
import t from 'tap'
import { ashmem, MemoryFile, SharedMemory } from '../../src/index.ts'
import { leakChecked, RegionHolder, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

const { PAGESIZE: PAGE, PROT_READ, PROT_WRITE } = mmap
const RW = PROT_READ | PROT_WRITE

t.test('a reader sees each value of the owner, and can change none', async (t) => {
  using file = new MemoryFile('owner', 4)
  using pfd = file.shareReadOnly()
  await using reader = new RegionHolder(pfd.getFd())
  t.equal(await reader.ask('size'), '4')
  t.equal(await reader.ask('refer 4'), '4')
  for (const value of [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)]) {
    file.writeInt32BE(0, value)
    t.equal(await reader.ask('read 0'), String(value))
  }
  t.equal(await reader.ask(`map ${RW}`), 'EPERM')
  t.equal(await reader.ask('refer 5'), 'ERR_UNSAFE_REGION')
})

t.test('ForkTest: both sides write, both see', async (t) => {
  using memory = SharedMemory.create('both', PAGE)
  const mapping = memory.mapReadWrite()
  await using other = new RegionHolder(memory.getFd())
  await other.ask(`map ${RW}`)
  await other.ask('put 42')
  t.equal(mapping.getInt(0), 42)
  mapping.putInt(0, 43)
  t.equal(await other.ask('get 0'), '43')
  SharedMemory.unmap(mapping)
})

t.test('ForkProtTest: rights that one side takes are gone for the other', async (t) => {
  using memory = SharedMemory.create('protected', PAGE)
  await using other = new RegionHolder(memory.getFd())
  t.equal(await other.ask(`setProtect ${PROT_READ}`), 'true')
  t.throws(() => memory.mapReadWrite(), { code: 'EPERM' })
  t.equal(memory.setProtect(RW), false)
})

t.test('a mapping made before keeps its rights, in the other process too', async (t) => {
  using memory = SharedMemory.create('protected', PAGE)
  await using other = new RegionHolder(memory.getFd())
  await other.ask(`map ${RW}`)
  memory.setProtect(PROT_READ)
  await other.ask('put 42')
  const mapping = memory.mapReadOnly()
  t.equal(mapping.getInt(0), 42)
  SharedMemory.unmap(mapping)
})

t.test('a purge is zeros for everybody', async (t) => {
  using file = new MemoryFile('purged', PAGE)
  file.writeInt32BE(0, 42)
  await using other = new RegionHolder(file.getFileDescriptor().getInt())
  await other.ask(`map ${PROT_READ}`)
  t.equal(await other.ask('get 0'), '42')
  file.allowPurging(true)
  ashmem.purgeAll()
  t.equal(await other.ask('get 0'), '0')
})

t.test('the memory lives as long as anybody maps it', async (t) => {
  const file = new MemoryFile('left', 4)
  file.writeInt32BE(0, 42)
  await using other = new RegionHolder(file.getFileDescriptor().getInt())
  await other.ask('refer 4')
  file.close()
  t.equal(await other.ask('read 0'), '42')
})
