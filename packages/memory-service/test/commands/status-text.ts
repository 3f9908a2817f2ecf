/** What a daemon says of itself, as people read it. */
import t from 'tap'
import { bytes, describeStatus, duration } from '../../src/commands/status-text.ts'

const DURATIONS: [seconds: number, text: string][] = [
  [0, '0 s'],
  [0.99, '0 s'],
  [1, '1 s'],
  [59.9, '59 s'],
  [60, '1 min'],
  [61, '1 min 1 s'],
  [3599, '59 min 59 s'],
  [3600, '1 h'],
  [3661, '1 h 1 min'],
  [3605, '1 h'],
  [86_399, '23 h 59 min'],
  [86_400, '1 d'],
  [86_400 + 3 * 3600 + 59, '1 d 3 h'],
  [100 * 86_400, '100 d'],
]

t.test('a time is its two largest units, those that are there', async (t) => {
  for (const [seconds, text] of DURATIONS) t.equal(duration(seconds), text, `${seconds}`)
})

t.test('bytes are in the unit that they fill', async (t) => {
  const counts = [0, 1023, 1024, 1536, 1024 * 1024 - 1024, 1024 * 1024, 2 ** 30]
  t.strictSame(counts.map(bytes), ['0 B', '1023 B', '1.0 KiB', '1.5 KiB', '1023.0 KiB', '1.0 MiB', '1024.0 MiB'])
})

t.test('a report is a line for each fact, and of an older daemon what it has', async (t) => {
  t.strictSame(describeStatus({ registry: '/r', name: 'n' }), ['registry: /r', 'name: n'])
  const report = {
    registry: '/r',
    value: 7,
    valueChangedAt: '1970-01-01T00:00:10.000Z',
    configuration: null,
    startedAt: '1970-01-01T00:00:00.000Z',
    uptimeSeconds: 90_000,
    peers: [
      { pid: 0, uid: 5, queuedBytes: 2048, used: { watchers: { used: 1, limit: 4 } } },
      { pid: 9, uid: 5, queuedBytes: 0, used: {} },
    ],
    users: [{ uid: 5, used: { names: { used: 1, limit: 100 }, watchers: { used: 1, limit: 4 } } }],
  }
  t.strictSame(describeStatus(report, 70_000), [
    'registry: /r',
    'value: 7',
    'value since: 1970-01-01T00:00:10.000Z (1 min ago)',
    'configuration: none: every user may find and read',
    'uptime: 1 d 1 h, since 1970-01-01T00:00:00.000Z',
    'limits that each user has used:',
    '  uid 5: watchers 1 of 4, names 1 of 100',
    'limits that each peer has used:',
    '  pid ?, uid 5, 2.0 KiB not read yet: watchers 1 of 4',
  ])
})

t.test('of a store that is kept on disk it says whether it is there', async (t) => {
  const store = { name: 's', keys: 1, valueBytes: 1, usedBytes: 1, capacity: 1024, areas: 1, watchers: 0 }
  const rest = 'store s: 1 key, 1 B of values, 1 B of 1.0 KiB used, 1 area, 0 watchers'
  const texts: [state: { pending: number; failing: boolean } | null, text: string][] = [
    [null, ''],
    [{ pending: 0, failing: false }, ', all on disk'],
    [{ pending: 2, failing: false }, ', 2 changes not on disk yet'],
    [{ pending: 1, failing: true }, ', the state folder cannot be written: 1 change not on disk'],
  ]
  for (const [state, text] of texts) {
    t.strictSame(describeStatus({ registry: '/r', stores: [{ ...store, state }] }), ['registry: /r', `${rest}${text}`])
  }
})
