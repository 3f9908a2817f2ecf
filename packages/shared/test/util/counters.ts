/** What this thread has counted: what a service makes up must not make the table grow. */
import t from 'tap'
import { countRefusal, refusalCounts } from '../../src/util/counters.ts'

t.test('refusals are counted by the code of the error, and what is no code is another', async (t) => {
  for (const reason of [
    'ERR_SECURITY',
    'ERR_SECURITY',
    'EPERM',
    undefined,
    '',
    'no code',
    'E',
    'Ex',
    `E${'X'.repeat(64)}`,
  ]) {
    countRefusal(reason)
  }
  t.strictSame(
    [...refusalCounts()],
    [
      ['ERR_SECURITY', 2],
      ['EPERM', 1],
      ['other', 6],
    ],
  )
})

t.test('64 codes have a place of their own, and all further ones share one', async (t) => {
  for (let i = 0; i < 100; i++) countRefusal(`ERR_OF_A_SERVICE_${i}`)
  const counts = refusalCounts()
  t.equal(counts.size, 64)
  t.strictSame([counts.get('ERR_OF_A_SERVICE_60'), counts.get('ERR_OF_A_SERVICE_61')], [1, undefined])
  t.equal(counts.get('other'), 6 + 39)
  for (let i = 0; i < 100; i++) countRefusal(`ERR_OF_A_SERVICE_${i}`)
  t.strictSame([counts.size, counts.get('ERR_OF_A_SERVICE_60'), counts.get('other')], [64, 2, 45 + 39])
  countRefusal('ERR_SECURITY')
  t.equal(counts.get('ERR_SECURITY'), 3, 'also of those who came first')
})
