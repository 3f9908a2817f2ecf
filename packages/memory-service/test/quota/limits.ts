import { readFileSync } from 'node:fs'
import t from 'tap'
import { listLimits } from '../../src/quota/limits.ts'
import { DEFAULTS } from '../../test-support/index.ts'

for (const [resource, { total, perUser, perPeer = 1 }] of Object.entries(DEFAULTS)) {
  t.test(`${resource}: several peers make a user's share, several users make all`, async (t) => {
    t.ok(perPeer >= 1)
    t.ok(perUser >= 2 * perPeer, 'one peer cannot take the share of its user')
    t.ok(total >= 4 * perUser, 'four users must come together to take all')
  })
}

const LIMITS = listLimits(DEFAULTS)

t.test('every limit has a name of its own, a number, a unit and a meaning', async (t) => {
  t.equal(new Set(LIMITS.map(({ name }) => name)).size, LIMITS.length)
  for (const { name, limit, unit, meaning } of LIMITS) {
    t.ok(Number.isSafeInteger(limit) && limit > 0, `${name}: ${limit}`)
    t.ok(unit !== '' && meaning !== '', name)
  }
})

t.test('every error of a limit is in docs/errors.md', async (t) => {
  const page = readFileSync(new URL('../../../../../docs/errors.md', import.meta.url), 'utf8')
  for (const { name, error } of LIMITS) t.ok(error === null || page.includes(`\`${error}\``), `${name}: ${error}`)
})
