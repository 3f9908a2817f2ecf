/** Twenty random faults, one after the other, beside machines that write and read. The figure `replication-faults` has a thousand. */
import { seededRandom } from '@memsvc/shared/test-support'
import t from 'tap'
import { NO_ETCD, patient, Soak } from '../test-support/index.ts'

const FAULTS = 20

patient(t)

t.test('twenty random faults leave every copy as the cluster is', { skip: NO_ETCD }, async (t) => {
  const soak = await Soak.begin(t, { random: seededRandom(t), longestMs: 4000 })
  await soak.run(FAULTS, (name) => t.comment(name))
  const { acknowledged, looks, ...rest } = soak.tally
  t.ok(acknowledged > FAULTS && looks > FAULTS)
  for (const what of soak.wrong) t.comment(what)
  t.strictSame(rest, { faults: FAULTS, wentBack: 0, staleButLive: 0, different: 0, doubled: 0 })
})
