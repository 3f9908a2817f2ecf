/** What a channel may hold is part of the protocol: section 8 of docs/protocol.md, number by number. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { CHANNEL_LIMITS } from '../../src/channel/limits.ts'

const PROTOCOL = fileURLToPath(new URL('../../../../../docs/protocol.md', import.meta.url))
const UNITS: Readonly<Record<string, number>> = { MiB: 2 ** 20, s: 1000 }
const ROWS = {
  packet: 'packetBytes',
  parcel: 'parcelBytes',
  'descriptors of a message': 'messageDescriptors',
  'objects of a message': 'messageObjects',
  'HELLO after the channel is made': 'helloTimeout',
  'two-way calls under way': 'pendingCalls',
  'oneway calls under way': 'onewayBacklog',
  'bytes of calls under way': 'heldBytes',
  'descriptors of calls under way': 'heldDescriptors',
  "objects of the other side's, and those that came in calls under way": 'proxies',
  'bytes queued because it does not read': 'queuedBytes',
  'descriptors queued because it does not read': 'queuedDescriptors',
  'an answer whose descriptors wait for others of the user to read theirs': 'descriptorWait',
} as const

t.test('the limits of a channel are those of the protocol', (t) => {
  const [, section = ''] = readFileSync(PROTOCOL, 'utf8').split('\n## 8. Limits\n')
  const numbers = new Map<string, number>()
  for (const line of (section.split('\n## ')[0] ?? '').split('\n')) {
    const [, what, number = '', unit = ''] = /^\| (\S.*?) *\| ([\d,]+) ?(MiB|s)?/.exec(line) ?? []
    if (what !== undefined) numbers.set(what, Number(number.replaceAll(',', '')) * (UNITS[unit] ?? 1))
  }
  const written = Object.entries(ROWS).map(([what, name]) => [name, numbers.get(what)])
  const ours = Object.entries(CHANNEL_LIMITS).map(([name, { limit }]) => [name, limit])
  t.strictSame(Object.fromEntries(written), Object.fromEntries(ours))
  t.end()
})
