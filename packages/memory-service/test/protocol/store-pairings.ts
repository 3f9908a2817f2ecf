/** Each speaker of the protocol with each other: the same cases for every pair of a client and an owner of a store. */
import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import { STORE_CLIENTS, STORE_OWNERS } from '../../test-support/index.ts'

watchdog(t)
leakChecked(t)
t.setTimeout(300_000) // 40 processes, on a machine that has other things to do

const VALUES = [-1.5, 'text: ü', [1, [true, null]], { a: { b: 'c' } }]
/** It does not fit beside the entry of the key. */
const LONG_KEY = 'k'.repeat(300)
/** It is sent in parts. */
const LONG_VALUE = 'x'.repeat(100_000)

for (const [ownerName, startOwner] of Object.entries(STORE_OWNERS)) {
  for (const [clientName, openClient] of Object.entries(STORE_CLIENTS)) {
    t.test(`${clientName} understands ${ownerName}`, async (t) => {
      const owner = await startOwner(t)
      await owner.set(LONG_KEY, 1)
      const client = await openClient(t, owner.registry)
      t.equal(await client.get(LONG_KEY), 1, 'reads a key of 300 characters')
      for (const value of VALUES) {
        await owner.set('key', value)
        t.strictSame(await client.get('key'), value, `reads ${JSON.stringify(value)}`)
      }
      owner.move?.()
      t.strictSame(await client.get('key'), VALUES.at(-1), 'reads it where it has moved')
      for (const value of client.set ? [...VALUES, LONG_VALUE] : []) {
        await client.set?.('key', value)
        t.strictSame(owner.get('key'), value, `writes ${JSON.stringify(value).slice(0, 20)}`)
      }
      if (client.delete === undefined) return
      await client.delete('key')
      t.equal(owner.get('key'), undefined, 'deletes a key')
    })
  }
}
