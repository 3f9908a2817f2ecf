/** The way to the cluster is encrypted, both ends have certificates, and the user of the machine a password. */
import t, { type Test } from 'tap'
import { examineCluster } from '../src/index.ts'
import * as support from '../test-support/index.ts'

const { caughtUp, makeCertificates, NO_ETCD, PREFIX, settingsOf, startCluster, startMachine } = support
const { until } = support
support.patient(t)

/** A cluster that asks clients for a certificate, or does not. */
async function begin(t: Test, { asks }: { asks: boolean }) {
  const made = makeCertificates(t.testdir({}))
  const args = asks ? ['--client-cert-auth', '--trusted-ca-file', made.authority.certFile] : []
  const cluster = await startCluster(t, { tls: made.node, args })
  await cluster.put(`${PREFIX}k`, '1')
  const endpoints = cluster.nodes.map(({ secure }) => secure)
  return { ...made, cluster, endpoints, ca: made.authority.cert }
}

t.test('with the authority of the nodes values come and go by TLS', { skip: NO_ETCD }, async (t) => {
  const { cluster, endpoints, ca } = await begin(t, { asks: false })
  const machine = await startMachine(t, settingsOf(endpoints, { tls: { ca } }))
  await until(() => machine.store.get('k') === 1)
  await machine.store.set('k', 'x'.repeat(100_000))
  t.strictSame(await caughtUp(machine, cluster), [])
})

t.test(
  'without it, or with another one, nothing is believed, and the status says why',
  { skip: NO_ETCD },
  async (t) => {
    const { endpoints, stranger } = await begin(t, { asks: false })
    for (const tls of [{}, { ca: stranger.cert }]) {
      const { replication, store } = await startMachine(t, settingsOf(endpoints, { tls }))
      await until(() => replication.status.reason !== null)
      t.match(replication.status.reason, /certificate/)
      t.equal(store.has('k'), false)
    }
  },
)

t.test('a node of another name than its certificate is none of ours', { skip: NO_ETCD }, async (t) => {
  const { endpoints, ca } = await begin(t, { asks: false })
  const other = endpoints.map((endpoint) => endpoint.replace('127.0.0.1', 'localhost'))
  const { replication, store } = await startMachine(t, settingsOf(other, { tls: { ca } }))
  await until(() => replication.status.reason !== null)
  t.match(replication.status.reason, /altnames/)
  t.equal(store.has('k'), false)
})

t.test('a cluster that asks for certificates lets in who has one, and nobody else', { skip: NO_ETCD }, async (t) => {
  const { cluster, endpoints, ca, client, stranger } = await begin(t, { asks: true })
  const { cert, key } = client
  const machine = await startMachine(t, settingsOf(endpoints, { tls: { ca, cert, key } }))
  await until(() => machine.store.get('k') === 1)
  await machine.store.set('k', 2)
  t.strictSame(await caughtUp(machine, cluster), [])
  for (const tls of [{ ca }, { ca, cert: stranger.cert, key: stranger.key }]) {
    const { replication, store } = await startMachine(t, settingsOf(endpoints, { tls }))
    await until(() => replication.status.reason !== null)
    t.equal(store.has('k'), false)
  }
})

t.test('a password goes by TLS too', { skip: NO_ETCD }, async (t) => {
  const { cluster, endpoints, ca } = await begin(t, { asks: false })
  await cluster.allowOnly('machine', 'secret', 'READWRITE', PREFIX)
  const settings = settingsOf(endpoints, { tls: { ca }, credentials: { user: 'machine', password: 'secret' } })
  const { store } = await startMachine(t, settings)
  await until(() => store.get('k') === 1)
  await store.set('k', 2)
  t.equal(store.get('k'), 2)
})

t.test('with users, etcd refuses a certificate that has a common name', { skip: NO_ETCD }, async (t) => {
  const { cluster, endpoints, ca, client, nameless } = await begin(t, { asks: true })
  await cluster.allowOnly('machine', 'secret', 'READWRITE', PREFIX)
  const settings = ({ cert, key }: typeof client) =>
    settingsOf(endpoints, { tls: { ca, cert, key }, credentials: { user: 'machine', password: 'secret' } })

  const { replication } = await startMachine(t, settings(client))
  await until(() => replication.status.reason !== null)
  t.equal(replication.status.state, 'refused', 'which does not heal by itself')
  t.match(replication.status.reason, /CommonName .*\S$/)
  const [found] = await examineCluster(settings(client))
  t.match(found, { verdict: 'problem', remedy: /without a common name/ })

  const { store } = await startMachine(t, settings(nameless))
  await until(() => store.get('k') === 1)
  await store.set('k', 2)
  t.equal(store.get('k'), 2)
})
