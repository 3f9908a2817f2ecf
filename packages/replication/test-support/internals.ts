/** What the figures use of this package beyond its public names. */
export { EtcdEngine } from '../src/etcd/etcd-engine.ts'
export { Replication } from '../src/replication.ts'
