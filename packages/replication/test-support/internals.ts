/** What the figures use of this package beyond its public names. */
export { EtcdEngine } from '../src/etcd/etcd-engine.ts'
export { decodeTxn, encodeTxn, TXN_RPC } from '../src/etcd/txn-wire.ts'
export { Replication } from '../src/replication.ts'
