/** Whom a cluster lets in, and what becomes of a copy when that changes. */
import t from 'tap'
import * as support from '../test-support/index.ts'

const { base64, caughtUp, NO_ETCD, patient, PREFIX, settingsOf, startCluster, startMachine, until } = support
patient(t)

const { codeOf, done } = support
const credentials = { user: 'writer', password: 'secret' }
const RANGE = { key: base64(PREFIX), range_end: base64('test0') }

t.test(
  'a right that is withdrawn and given back: refused, and live again, changes too',
  { skip: NO_ETCD },
  async (t) => {
    const cluster = await startCluster(t)
    await cluster.put(`${PREFIX}k`, '1')
    await cluster.allowOnly('writer', 'secret', 'READWRITE', PREFIX)
    const { store, replication } = await startMachine(t, settingsOf(cluster.endpoints(), { credentials }))
    await replication.live
    await done(() => store.set('k', 2))
    await cluster.askAs('root', 'r', '/v3/auth/role/revoke', { role: 'ours', ...RANGE })
    await until(async () => (await codeOf(store.set('k', 3))) === 'ERR_READ_ONLY')
    await until(() => store.status.state === 'refused')
    t.equal(store.get('k'), 2)
    await cluster.askAs('root', 'r', '/v3/auth/role/grant', { name: 'ours', perm: { permType: 'READWRITE', ...RANGE } })
    await until(() => store.status.state === 'live')
    await done(() => store.set('k', 4))
    t.equal(store.get('k'), 4)
  },
)

t.test('a password that was replaced in the cluster is asked for anew', { skip: NO_ETCD }, async (t) => {
  const cluster = await startCluster(t)
  await cluster.put(`${PREFIX}k`, '1')
  await cluster.allowOnly('writer', 'secret', 'READWRITE', PREFIX)
  const inFile = { user: 'writer', password: 'secret' }
  const { store, replication } = await startMachine(t, settingsOf(cluster.endpoints(), { credentials: inFile }))
  await replication.live
  await cluster.askAs('root', 'r', '/v3/auth/user/changepw', { name: 'writer', password: 'other' })
  await cluster.askAs('root', 'r', '/v3/kv/put', { key: base64(`${PREFIX}k`), value: base64('2') })
  await until(() => store.status.state === 'refused')
  inFile.password = 'other'
  await until(() => store.status.state === 'live' && store.get('k') === 2)
  await done(() => store.set('k', 3))
})

t.test(
  'a user works in a cluster without authentication, and also when it is switched on',
  { skip: NO_ETCD },
  async (t) => {
    const cluster = await startCluster(t)
    const machine = await startMachine(t, settingsOf(cluster.endpoints(), { credentials }))
    await done(() => machine.store.set('k', 1))
    t.strictSame(await caughtUp(machine, cluster), [])
    await cluster.allowOnly('writer', 'secret', 'READWRITE', PREFIX)
    await done(() => machine.store.set('k', 2))
    await until(() => machine.store.status.state === 'live' && machine.store.get('k') === 2)
  },
)
