/** Each limit at n and n + 1, and what others have meanwhile. The cases: test-support/fixtures/hostile/limits.py. */
import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import { survives } from '../../test-support/index.ts'

watchdog(t)
leakChecked(t)

survives(t, 'limits', {
  limits: {
    connections: { total: 60, perUser: 20 },
    channels: { total: 60, perUser: 20 },
    turnedAway: { total: 10, perUser: 5 },
    names: { total: 31, perUser: 10, perPeer: 6 },
    notifications: { total: 30, perUser: 10, perPeer: 6 },
    watchers: { total: 31, perUser: 10, perPeer: 6 },
    heldBlocks: { total: 40, perUser: 16, perPeer: 4 },
    unreadDescriptors: { total: 44, perUser: 13, perPeer: 5 },
    heldDescriptors: { total: 80, perUser: 40, perPeer: 6 },
  },
})
