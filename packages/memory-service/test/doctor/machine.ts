/** How much memory is enough. */
import t from 'tap'
import { examineMemory } from '../../src/doctor/machine.ts'

const MIB = 1024 * 1024

t.test('128 MiB are enough, and one byte less is a warning with a remedy', async (t) => {
  t.match(examineMemory(Number.POSITIVE_INFINITY), { verdict: 'ok', found: 'no limit', remedy: null })
  t.match(examineMemory(128 * MIB), { verdict: 'ok', found: '128 MiB', remedy: null })
  t.match(examineMemory(128 * MIB - 1), { verdict: 'warning', found: '127 MiB', remedy: /at least 128 MiB/ })
  t.match(examineMemory(0), { verdict: 'warning', found: '0 MiB' })
})

t.test('by itself it looks at the cgroup of this process', async (t) => {
  t.match(examineMemory(), { name: 'memory of the cgroup', verdict: /ok|warning/ })
})
