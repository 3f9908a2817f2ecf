/** Transactions by gRPC: etcd's answers, beside those that it gives by its gateway. */
import t from 'tap'
import type { Transaction } from '../src/engine/engine.ts'
import { decodeTxn, encodeTxn, TXN_RPC } from '../src/etcd/txn-wire.ts'
import { call, EtcdEngine, NO_ETCD, nodesAt, patient, startCluster, untilByRpc } from '../test-support/index.ts'

patient(t)

/** Nobody is asked there who he is. By the gateway it changes nothing. */
const toEtcd = { ...call, path: '/health', headers: {} }

t.test('a transaction has the same answer by gRPC and by the gateway', { skip: NO_ETCD }, async (t) => {
  const cluster = await startCluster(t)
  const [node] = cluster.nodes
  /** The first call of an engine goes that way. */
  const byGateway = async (transaction: Transaction) => {
    const engine = new EtcdEngine({ endpoints: [node?.direct as string], prefix: 'p/' })
    try {
      return await engine.commit(transaction, 60_000)
    } finally {
      engine.close()
    }
  }
  const nodes = nodesAt(t, node?.direct as string)
  const keyOf = (key: Buffer) => Buffer.concat([Buffer.from('p/'), key])
  const look = { conditions: [], edits: [] }
  const byRpc = async (transaction: Transaction) => {
    const rpc = { path: TXN_RPC, message: () => encodeTxn(transaction, keyOf) }
    const { message } = await untilByRpc(nodes, () => nodes.call({ ...toEtcd, rpc }))
    return decodeTxn(message as Buffer)
  }
  const key = Buffer.from([0x6b, 0, 0xff])
  const absent = { key: Buffer.from('absent'), revision: 0n }
  const [put] = [{ key, value: Buffer.alloc(70_000, 1) }]
  const first = await byRpc({ conditions: [{ key, revision: 0n }], edits: [put] })
  t.match(first, { succeeded: true, responses: [{ response_put: {} }] })
  const revision = first.header?.revision as bigint
  const lost = [{ key, revision: revision + 7n }, absent]
  for (const wants of ['revisions', 'values'] as const) {
    const answer = await byRpc({ conditions: lost, edits: [], wants })
    const { present, ...gateway } = await byGateway({ conditions: lost, edits: [], wants })
    t.equal(answer.header?.cluster_id, gateway.cluster)
    t.equal(answer.header?.revision, gateway.revision)
    t.equal(answer.succeeded, false)
    const [there, none] = answer.responses ?? []
    t.strictSame(none?.response_range?.kvs, [])
    t.equal(present[1], null)
    const [found] = there?.response_range?.kvs ?? []
    t.strictSame(found?.key, keyOf(present[0]?.key as Buffer))
    t.equal(found?.mod_revision, present[0]?.revision)
    t.strictSame(found?.value ?? Buffer.alloc(0), present[0]?.value)
  }
  const nothing = await byRpc({ conditions: lost, edits: [], wants: 'nothing' })
  t.match(nothing, { succeeded: false, responses: [] })
  const edits = [absent, { key }].map(({ key }) => ({ key, value: null }))
  const deleted = await byRpc({ conditions: [absent, { key, revision }], edits })
  t.strictSame(
    deleted.responses?.map(({ response_delete_range }) => response_delete_range?.deleted),
    [0n, 1n],
  )
  const empty = await byRpc({ ...look, edits: [{ key, value: Buffer.alloc(0) }] })
  t.equal(empty.header?.revision, revision + 2n)
})

t.test('refusals of etcd have the same message through gRPC', { skip: NO_ETCD }, async (t) => {
  const cluster = await startCluster(t)
  const nodes = nodesAt(t, cluster.nodes[0]?.direct as string)
  const rpcOf = (transaction: Transaction) => ({
    path: TXN_RPC,
    message: () => encodeTxn(transaction, (key) => key),
  })
  const none = rpcOf({ conditions: [], edits: [] })
  await untilByRpc(nodes, () => nodes.call({ ...toEtcd, rpc: none }))
  const edit = { key: Buffer.from('k'), value: Buffer.from('1') }
  const twice = await nodes.call({ ...toEtcd, rpc: rpcOf({ conditions: [], edits: [edit, edit] }) })
  t.equal(twice.status, 500)
  t.match(JSON.parse(twice.text), { message: 'etcdserver: duplicate key given in txn request' })
})
