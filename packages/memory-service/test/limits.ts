import t from 'tap'
import { LIMITS, type Limit } from '../src/limits.ts'

for (const [resource, { total, perUser, perPeer }] of Object.entries<Limit>(LIMITS)) {
  t.test(`${resource}: several peers make a user's share, several users make all`, async (t) => {
    t.ok(perPeer >= 1)
    t.ok(perUser >= 2 * perPeer, 'one peer cannot take the share of its user')
    t.ok(total >= 4 * perUser, 'four users must come together to take all')
  })
}
