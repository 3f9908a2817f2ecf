/** Which totals come of what was asked for and of the limit of open files. */
import t from 'tap'
import { type AskedLimits, fitLimits } from '../../src/quota/descriptor-budget.ts'
import { RESOURCE_NAMES, RESOURCES } from '../../src/quota/limits.ts'

/** The daemon's own, and the reserve. */
const OWN = 40 + 16
const COUNTED = ['connections', 'channels', 'turnedAway', 'unreadDescriptors', 'heldDescriptors'] as const
const DEFAULT_NEED = COUNTED.reduce((sum, resource) => sum + RESOURCES[resource].total, OWN)

/** Descriptors that clients can make the daemon hold. */
function need(asked: AskedLimits, openFiles: number): number {
  const limits = fitLimits(asked, openFiles)
  return COUNTED.reduce((sum, resource) => sum + limits[resource].total, 0)
}

t.test('if there is room, the table applies unchanged', async (t) => {
  for (const openFiles of [DEFAULT_NEED, DEFAULT_NEED + 1, 2 ** 31, Number.POSITIVE_INFINITY]) {
    const limits = fitLimits({}, openFiles)
    for (const resource of RESOURCE_NAMES) t.match(RESOURCES[resource], limits[resource], `${resource} of ${openFiles}`)
  }
})

t.test('one descriptor too few takes one from the largest total', async (t) => {
  const limits = fitLimits({}, DEFAULT_NEED - 1)
  t.equal(limits.channels.total, RESOURCES.channels.total - 1)
  for (const resource of ['connections', 'turnedAway', 'heldDescriptors', 'watchers', 'names'] as const) {
    t.equal(limits[resource].total, RESOURCES[resource].total, resource)
  }
})

for (const openFiles of [OWN + 20, 100, 128, 256, 1024, 4096, 20_000, 65_536, 2 ** 20]) {
  t.test(`with ${openFiles} open files clients get the rest, and one user not all of it`, async (t) => {
    t.ok(need({}, openFiles) <= openFiles - OWN)
    const limits = fitLimits({}, openFiles)
    for (const resource of RESOURCE_NAMES) {
      const { total, perUser, perPeer = 1 } = limits[resource]
      t.ok(total >= 4 && perUser >= 1 && perUser <= Math.max(1, (3 * total) / 4) && perPeer <= perUser, resource)
    }
  })
}

t.test('too few for anything are refused', async (t) => {
  for (const openFiles of [0, 16, OWN, OWN + 19]) {
    t.throws(() => fitLimits({}, openFiles), {
      code: 'ERR_INVALID_ARG_VALUE',
      message: new RegExp(
        `^the hard limit of ${openFiles} open files is too low: the daemon itself needs at least ${OWN + 20}. Raise`,
      ),
    })
  }
})

t.test('a limit that was set is granted in full, at the cost of the others, or refused', async (t) => {
  const room = 1000 - OWN
  const asked = (total: number) => ({ connections: { total } })
  t.equal(fitLimits(asked(room - 16), 1000).connections.total, room - 16)
  t.equal(need(asked(room - 16), 1000), room)
  t.throws(() => fitLimits(asked(room - 15), 1000), {
    code: 'ERR_INVALID_ARG_VALUE',
    message: new RegExp(`the daemon itself needs at least ${OWN + 16} and ${room - 15} connections. Raise it`),
  })
  t.throws(() => fitLimits(asked(1_000_000), 65_536), { code: 'ERR_INVALID_ARG_VALUE' })
  t.equal(fitLimits(asked(12_000), 65_536).channels.total, RESOURCES.channels.total)
})

t.test('limits of things that accept no descriptors may be as high as requested', async (t) => {
  const limits = fitLimits({ watchers: { total: 1_000_000 }, names: { total: 1 } }, 256)
  t.equal(limits.watchers.total, 1_000_000)
  t.strictSame(limits.names, { total: 1, perUser: 1, perPeer: 1 })
})

t.test('shares that were asked for hold, whatever the totals', async (t) => {
  const asked = {
    watchers: { perUser: 100, perPeer: 10 },
    channels: { perUser: 16_384 },
    names: { total: 8, perUser: 8 },
  }
  const limits = fitLimits(asked, Number.POSITIVE_INFINITY)
  t.strictSame(limits.watchers, { total: 65_536, perUser: 100, perPeer: 10 })
  t.strictSame(limits.channels, { total: 16_384, perUser: 16_384 })
  t.strictSame(limits.names, { total: 8, perUser: 8, perPeer: 8 })
})

t.test('more callbacks come with the objects that they need', async (t) => {
  const limitsOf = (asked: AskedLimits) => fitLimits(asked, Number.POSITIVE_INFINITY)
  const { watchers, notifications, objects } = RESOURCES
  t.strictSame(limitsOf({}).objects, { total: objects.total, perUser: objects.perUser, perPeer: objects.perPeer })
  t.match(limitsOf({ watchers: { perUser: 20_000 } }).objects, {
    total: objects.total,
    perUser: 20_000 + notifications.perUser,
  })
  t.match(limitsOf({ watchers: { total: 500_000 } }).objects, {
    total: 500_000 + notifications.total,
    perUser: objects.perUser,
  })
  t.match(limitsOf({ notifications: { perUser: 16_000 } }).objects, { perUser: 16_000 + watchers.perUser })
  t.match(limitsOf({ objects: { perUser: 10, total: 20 } }).objects, { perUser: 10, total: 20 }, 'fewer were asked for')
  t.match(limitsOf({ objects: { total: 5000 } }).objects, { total: 5000, perUser: 3750 }, 'one user not all of it')
  t.match(limitsOf({ objects: { total: 18_000 }, watchers: { perUser: 17_500 } }).objects, {
    total: 18_000,
    perUser: 18_000,
  })
})

t.test('fewer objects than callbacks, both asked for, are refused by name', async (t) => {
  for (const share of ['total', 'perUser', 'perPeer'] as const) {
    for (const callbacks of ['watchers', 'notifications'] as const) {
      const asked = (objects: number) => ({ [callbacks]: { [share]: 200 }, objects: { [share]: objects } })
      t.throws(() => fitLimits(asked(199), Number.POSITIVE_INFINITY), {
        code: 'ERR_INVALID_ARG_VALUE',
        message: `${callbacks}.${share} must be at most objects.${share}, which is 199, because each callback is an object; it is 200`,
      })
      t.equal(fitLimits(asked(200), Number.POSITIVE_INFINITY).objects[share], 200)
    }
  }
  t.throws(() => fitLimits({ watchers: { perPeer: 4097 } }, Number.POSITIVE_INFINITY), {
    message: 'watchers.perPeer must be at most 4096, because a channel has at most that many objects; it is 4097',
  })
})
