/** What an area has, on its way to others. */
import { AreaReader, AreaWriter, areaTypes } from 'memfd-native'
import t from 'tap'
import { AreaRecords } from '../../src/store/stored-record.ts'
import { leakChecked, MIB, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

t.test('an area is listed in parts, so that nothing waits for all of it', async (t) => {
  using writer = AreaWriter.create({ capacity: 4 * MIB, maxKeys: 8192 })
  using fd = writer.share()
  using reader = AreaReader.attach(fd)
  const put = (key: string) => t.type(writer.put(key, areaTypes.BYTES, Buffer.from(key)), 'bigint')
  for (let i = 0; i < 3000; i++) put(`k${i}`)
  const seen = new Set<string>()
  for (const { key, bytes } of new AreaRecords(reader).records()) {
    t.equal(Buffer.from(bytes).toString(), key)
    if (seen.add(key).size === 1) put('late')
  }
  t.equal(seen.size, 3001)
  t.ok(seen.has('late'), 'its place had not been passed')
})
