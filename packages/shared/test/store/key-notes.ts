/** What a store knew of its keys in an earlier life: who pays for them, and when they end. */
import { areaTypes } from 'memfd-native'
import t from 'tap'
import type { KeptStore } from '../../src/store/keeper.ts'
import { OwnedStore } from '../../src/store/owned-store.ts'
import { leakChecked, MIB, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

const PAYER = 4242
const VERSIONS: [key: string, version: bigint][] = [
  ['paid', 1n],
  ['unpaid', 2n],
  ['ends', 3n],
]

const BEFORE = {
  lastVersions: [3n],
  records: () =>
    VERSIONS.map(([key, version]) => ({ key, version, type: areaTypes.BYTES, bytes: Buffer.from('of before') })),
}

t.test('the payer of a key stays the same, and a key with an expiry time still expires', async (t) => {
  const endsAt = Date.now() + 1_000_000
  const notes = [
    ['paid', { payer: PAYER, endsAt: null }],
    ['ends', { payer: null, endsAt }],
    ['gone', { payer: PAYER, endsAt }],
  ] as const
  const kept: KeptStore[] = []
  const ignore = () => undefined
  const keeper = { begin: (store: KeptStore) => kept.push(store), changed: ignore, moved: ignore, end: ignore }
  const store = new OwnedStore(
    { capacity: MIB, maxKeys: 16 },
    { records: [BEFORE], notes, keeper: { ...keeper, kept: () => null } },
  )
  t.teardown(() => store.close())
  const noteOf = (key: string) => kept[0]?.noteOf(key)
  t.strictSame(noteOf('paid'), { payer: PAYER, endsAt: null })
  t.strictSame(noteOf('unpaid'), { payer: null, endsAt: null })
  t.strictSame(noteOf('gone'), { payer: null, endsAt: null }, 'of a key that is not there any more nothing is left')
  t.equal(noteOf('ends')?.payer, null)
  t.ok(Math.abs((noteOf('ends')?.endsAt ?? 0) - endsAt) < 10_000)
  t.equal(String(store.get('paid')), String(new Uint8Array(Buffer.from('of before'))))
})
