/** `memsvc doctor` of a cluster: what is wrong with it, from here, and what to do. */
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { remedyFor } from '../src/examine/failures.ts'
import { type ClusterFinding, examineCluster } from '../src/index.ts'
import * as support from '../test-support/index.ts'

const { makeCertificates, newRegistryPath, NO_ETCD, PREFIX, runProgram, settingsOf, startCluster } = support
support.patient(t)

/** A machine that has much else to do is slow. */
const PATIENT = { connectMs: 20_000, silenceMs: 20_000, answerBytes: 1_000_000 }

/** The findings of that name. */
async function findings(settings: Parameters<typeof examineCluster>[0], name: string): Promise<ClusterFinding[]> {
  return (await examineCluster(settings, PATIENT)).filter((each) => each.name.startsWith(name))
}

t.test('a cluster that is well is found well, and nothing in it is changed', { skip: NO_ETCD }, async (t) => {
  const cluster = await startCluster(t, { nodes: 3 })
  await cluster.put(`${PREFIX}k`, '1')
  const before = await cluster.contents('')
  const found = await examineCluster(settingsOf(cluster.endpoints()), PATIENT)
  t.strictSame(
    found.filter(({ verdict }) => verdict !== 'ok'),
    [],
  )
  t.match(
    found.map(({ name }) => name.replace(/ http.*/, '')),
    ['node', 'node', 'node', 'cluster', 'alarms', 'right to read', 'right to write', 'history'],
  )
  t.match(found[0]?.found, /^etcd 3\.\d+\.\d+, cluster \d+, [\d.]+ MiB used of 2048.0 MiB$/)
  t.strictSame(await cluster.contents(''), before)
})

t.test('a node that is away is a problem, and without a majority that is said', { skip: NO_ETCD }, async (t) => {
  const cluster = await startCluster(t, { nodes: 3 })
  await cluster.nodes[0]?.kill()
  await cluster.ready()
  t.match(await findings(settingsOf(cluster.endpoints()), 'cluster'), [{ verdict: 'ok', found: /2 of 3 nodes answer/ }])
  await cluster.nodes[1]?.kill()
  const settings = settingsOf(cluster.nodes.map(({ direct }) => direct))
  t.match(await findings(settings, 'cluster'), [
    { verdict: 'problem', found: /1 of 3/, follows: /nothing can be changed/ },
  ])
  const [first] = await findings(settings, 'node')
  t.match(first, { verdict: 'problem', remedy: /start etcd on that machine/ })
  const nowhere = await examineCluster(settingsOf([cluster.nodes[0]?.direct as string]))
  t.match(nowhere, [{ verdict: 'problem' }])
})

t.test('endpoints of two clusters are told from those of one', { skip: NO_ETCD }, async (t) => {
  const [first, second] = [await startCluster(t), await startCluster(t)]
  const settings = settingsOf([...first.endpoints(), ...second.endpoints()])
  t.match(await findings(settings, 'cluster'), [{ verdict: 'problem', found: /2 clusters/ }])
})

t.test('errors of TLS come with a remedy', { skip: NO_ETCD }, async (t) => {
  const made = makeCertificates(t.testdir({}))
  const args = ['--client-cert-auth', '--trusted-ca-file', made.authority.certFile]
  const cluster = await startCluster(t, { tls: made.node, args })
  const [node] = cluster.nodes
  if (node === undefined) throw new Error('no node')
  const { cert, key } = made.client
  const ca = made.authority.cert
  const look = async (endpoint: string, tls: object) => (await findings(settingsOf([endpoint], { tls }), 'node'))[0]
  t.match(await look(node.secure, { ca, cert, key }), { verdict: 'ok' })
  t.match(await look(node.secure, { cert, key }), { verdict: 'problem', remedy: /let "ca" name/ })
  t.match(await look(node.secure, { ca }), { verdict: 'problem', remedy: /"cert" and "key"/ })
  t.match(await look(node.secure.replace('127.0.0.1', 'localhost'), { ca, cert, key }), {
    verdict: 'problem',
    remedy: /the name of the certificate/,
  })
  t.match(await look(node.secure.replace('https', 'http'), {}), { verdict: 'problem', remedy: /https:\/\/ instead/ })
  t.match(await look(node.direct.replace('http', 'https'), { ca }), { verdict: 'problem', remedy: /http:\/\/ instead/ })
})

t.test('a node that hangs up is asked the other way: in TLS, or without', async (t) => {
  t.match(remedyFor(new Error('https://127.0.0.1:1 read ECONNRESET')), /http:\/\/ instead/)
  t.match(remedyFor(new Error('https://127.0.0.1:1 closed the connection')), /http:\/\/ instead/)
  t.match(remedyFor(new Error('http://127.0.0.1:1 closed the connection')), /https:\/\/ instead/)
})

t.test('plain http beyond this machine is a warning', async (t) => {
  const [first] = await examineCluster(settingsOf(['http://192.0.2.1:1', 'http://127.0.0.1:1']))
  t.match(first, {
    name: 'encryption',
    verdict: 'warning',
    found: 'http://192.0.2.1:1: plain http to another machine',
  })
})

t.test('rights that are missing are found before anybody needs them', { skip: NO_ETCD }, async (t) => {
  const cluster = await startCluster(t)
  await cluster.allowOnly('reader', 'secret', 'READ', PREFIX)
  const look = (password: string, mode: 'read' | 'readwrite') =>
    findings(settingsOf(cluster.endpoints(), { mode, credentials: { user: 'reader', password } }), 'right')
  t.match(await look('secret', 'read'), [{ verdict: 'ok', found: 'as reader' }])
  t.match(await look('secret', 'readwrite'), [{ verdict: 'ok' }, { verdict: 'problem', remedy: /readwrite/ }])
  t.match(await look('wrong', 'read'), [{ verdict: 'problem', remedy: /grant-permission/ }])
  t.match(await findings(settingsOf(cluster.endpoints(), { mode: 'read' }), 'right'), [{ verdict: 'problem' }])
})

t.test('a cluster that is nearly full, and one that is full, are told', { skip: NO_ETCD }, async (t) => {
  const cluster = await startCluster(t, { args: ['--quota-backend-bytes', String(8 * 1024 * 1024)] })
  await fill(cluster)
  const settings = settingsOf(cluster.endpoints())
  t.match(await findings(settings, 'node'), [{ verdict: 'warning', found: /of 8.0 MiB/, remedy: /quota/ }])
  t.match(await findings(settings, 'alarms'), [{ verdict: 'problem', found: 'NOSPACE' }])
})

async function fill(cluster: support.EtcdCluster): Promise<void> {
  for (;;) {
    try {
      await cluster.put('filler', Buffer.alloc(1_000_000))
    } catch {
      return
    }
  }
}

t.test('a history that is short is a warning, with how long it is', { skip: NO_ETCD }, async (t) => {
  const cluster = await startCluster(t)
  for (let i = 0; i < 20; i++) await cluster.put(`${PREFIX}.pulse`, String(i))
  const settings = settingsOf(cluster.endpoints())
  t.match(await findings(settings, 'history'), [{ verdict: 'ok', found: /complete, 21 revisions/ }])
  await cluster.compact(12n)
  t.match(await findings(settings, 'history'), [
    { verdict: 'warning', found: '10 revisions, the last 9 s or so', remedy: /auto-compaction-retention/ },
  ])
})

t.test('memsvc doctor has it among its findings', { skip: NO_ETCD }, async (t) => {
  const cluster = await startCluster(t)
  const bin = fileURLToPath(import.meta.resolve('../../../../node_modules/.bin/memsvc'))
  const look = async (replicate: object) => {
    const config = writeConfig(t, { replicate })
    const { stdout } = await runProgram(bin, ['doctor', '--json', '--config', config, '--registry', newRegistryPath(t)])
    return stdout.split('\n').map((line) => JSON.parse(line) as ClusterFinding)
  }
  const found = await look({ endpoints: cluster.endpoints(), prefix: PREFIX })
  const own = found.slice(found.findIndex(({ name }) => name === 'replication'))
  t.match(own[0], { verdict: 'ok', found: `ClusterStore, keys ${PREFIX}* from 1 nodes, readwrite` })
  t.match(own[1]?.name, /^node http/)
  const wrong = await look({ endpoints: cluster.endpoints(), user: 'u', passwordFile: '/nowhere' })
  t.match(wrong.at(-1), { name: 'replication', verdict: 'problem', found: /\/nowhere/ })
})

function writeConfig(t: Test, configuration: object): string {
  return `${t.testdir({ 'memsvc.json': JSON.stringify(configuration) })}/memsvc.json`
}
