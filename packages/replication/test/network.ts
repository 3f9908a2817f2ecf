/** A machine in a network of its own, whose cable is really pulled: packets vanish, and nobody is told. */
import t, { type Test } from 'tap'
import * as support from '../test-support/index.ts'

const { caughtUp, done, Network, NO_ETCD, noNetworks, patient, PREFIX, Replicator, startCluster, until } = support
patient(t)

const skip = NO_ETCD || noNetworks()

async function begin(t: Test) {
  const network = Network.lay(t)
  const cluster = await startCluster(t, { nodes: 3, addresses: [network.address] })
  const endpoints = cluster.nodes.map((node) => node.urlAt(network.address))
  const away = await Replicator.start(t, { endpoints, prefix: network.prefix })
  return { network, cluster, away }
}

t.test(
  'a machine whose cable is pulled says so, reads on, changes nothing, and has all of it again',
  { skip },
  async (t) => {
    const { network, cluster, away } = await begin(t)
    const three = ['stays', 'changes', 'goes'].map((key) => ({ key, value: 1 }))
    await done(() => away.store.update(three))
    t.strictSame(await caughtUp(away, cluster), [])
    network.pull()
    await until(() => away.store.status.state === 'stale')
    t.ok(away.store.status.ageMs > 2000)
    t.equal(away.store.get('changes'), 1)
    t.match(await away.store.set('changes', 3).catch((error) => error), { code: 'ERR_TIMEOUT' })
    await cluster.put(`${PREFIX}changes`, '2')
    await cluster.compact(await cluster.delete(`${PREFIX}goes`))
    network.plugIn()
    t.strictSame(await caughtUp(away, cluster), [])
    t.strictSame(away.store.keys(), ['changes', 'stays'])
    t.not(away.store.get('changes'), 1)
  },
)

t.test('a cable that is pulled for a moment costs nothing', { skip }, async (t) => {
  const { network, cluster, away } = await begin(t)
  for (let round = 0; round < 5; round++) {
    network.pull()
    for (let i = 0; i < 5; i++) await cluster.put(`${PREFIX}k${i}`, String(round))
    await cluster.delete(`${PREFIX}k${round}`)
    network.plugIn()
    t.strictSame(await caughtUp(away, cluster), [], `round ${round}`)
  }
})
