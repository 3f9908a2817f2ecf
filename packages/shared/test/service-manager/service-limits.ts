/** What the clients of a library's service may take: as asked, as the files allow, and never all of it for one user. */
import { closeSync, openSync } from 'node:fs'
import t from 'tap'
import * as serviceLimits from '../../src/service-manager/service-limits.ts'
import { outcome } from '../../test-support/index.ts'

const OF_FILES = ['channels', 'turnedAway', 'unreadDescriptors', 'heldDescriptors'] as const

/** Below it everybody gets at least four of anything, whatever there is. */
const FEW = 100

t.test('if there is room, the table of the README applies', async (t) => {
  t.strictSame(serviceLimits.fitServiceLimits({}, Number.POSITIVE_INFINITY), {
    channels: { total: 16_384, perUser: 1024 },
    turnedAway: { total: 128, perUser: 32 },
    unreadDescriptors: { total: 2048, perUser: 512, perPeer: 256 },
    heldDescriptors: { total: 2048, perUser: 512, perPeer: 256 },
    objects: { total: 131_072, perUser: 16_384, perPeer: 4096 },
    heldBlocks: { total: 1024, perUser: 256, perPeer: 64 },
    watchers: { total: 65_536, perUser: 4096, perPeer: 256 },
  })
})

for (const free of [-5, 0, 1, 15, 16, 64, 160, 176, 1000, 5000]) {
  t.test(`with ${free} free files all users together get less, and one user not all of it`, async (t) => {
    const limits = serviceLimits.fitServiceLimits({}, free)
    const taken = OF_FILES.reduce((sum, resource) => sum + limits[resource].total, 0)
    t.ok(taken <= free || free < FEW, `${taken}`)
    for (const resource of serviceLimits.SERVICE_RESOURCES) {
      const { total, perUser, perPeer = 1 } = limits[resource]
      t.ok(total >= 4 && perUser >= 1 && perUser <= (3 * total) / 4 && perPeer >= 1 && perPeer <= perUser, resource)
    }
    t.ok(limits.channels.total >= 5 * limits.unreadDescriptors.total || free < FEW, 'most are for clients')
  })
}

t.test('limits that were set are granted unchanged', async (t) => {
  const asked = { channels: { total: 5000, perUser: 5000 }, objects: { perUser: 7 }, heldDescriptors: { perPeer: 1 } }
  const limits = serviceLimits.fitServiceLimits(asked, 100)
  t.strictSame(limits.channels, { total: 5000, perUser: 5000 })
  t.strictSame(limits.objects, { total: 131_072, perUser: 7, perPeer: 7 })
  t.equal(limits.heldDescriptors.perPeer, 1)
  t.strictSame(serviceLimits.fitServiceLimits({ channels: { total: 10 } }, 1000).channels, { total: 10, perUser: 7 })
  t.strictSame(serviceLimits.fitServiceLimits({ channels: { total: 1 } }, 1000).channels, { total: 1, perUser: 1 })
})

t.test('more watchers bring their objects with them', async (t) => {
  t.match(serviceLimits.fitServiceLimits({ watchers: { perUser: 20_000 } }, 1000).objects, {
    total: 131_072,
    perUser: 20_000,
  })
  t.match(serviceLimits.fitServiceLimits({ watchers: { total: 200_000 } }, 1000).objects, {
    total: 200_000,
    perUser: 16_384,
  })
})

const WRONG: [limits: unknown, code: string][] = [
  [null, 'ERR_NULL_POINTER'],
  [5, 'ERR_INVALID_ARG_TYPE'],
  [{ channels: null }, 'ERR_INVALID_ARG_TYPE'],
  [{ channels: 5 }, 'ERR_INVALID_ARG_TYPE'],
  [{ channels: { total: '5' } }, 'ERR_INVALID_ARG_TYPE'],
  [{ sockets: { total: 5 } }, 'ERR_INVALID_ARG_VALUE'],
  [{ toString: { total: 5 } }, 'ERR_INVALID_ARG_VALUE'],
  [{ channels: { perProcess: 5 } }, 'ERR_INVALID_ARG_VALUE'],
  [{ channels: { total: 0 } }, 'ERR_OUT_OF_RANGE'],
  [{ channels: { total: 1.5 } }, 'ERR_OUT_OF_RANGE'],
  [{ channels: { total: Number.NaN } }, 'ERR_OUT_OF_RANGE'],
  [{ channels: { total: 1_000_001 } }, 'ERR_OUT_OF_RANGE'],
  [{ watchers: { perUser: 6 }, objects: { perUser: 5 } }, 'ERR_INVALID_ARG_VALUE'],
  [{ watchers: { perPeer: 4097 } }, 'ERR_INVALID_ARG_VALUE'],
]

for (const [limits, code] of WRONG) {
  t.test(`limits that are none: ${JSON.stringify(limits)}`, async (t) => {
    t.equal(
      outcome(() => serviceLimits.checkServiceLimits(limits)),
      code,
    )
  })
}

t.test('limits that are some', async (t) => {
  const some: serviceLimits.ServiceLimits[] = [
    {},
    { channels: {} },
    { channels: { total: 1 }, watchers: { perPeer: 4096 } },
  ]
  for (const limits of some) {
    t.equal(
      outcome(() => serviceLimits.checkServiceLimits(limits)),
      undefined,
    )
  }
})

t.test('the files that are free are counted, less the reserve', async (t) => {
  const free = serviceLimits.countFreeFiles()
  t.ok(free > 0 && free < serviceLimits.openFilesLimit() - 24)
  const fd = openSync('/dev/null', 'r')
  t.equal(serviceLimits.countFreeFiles(), free - 1)
  closeSync(fd)
  t.equal(serviceLimits.countFreeFiles(), free)
})
