/** What `memsvc replicate` and `memsvc doctor` load by name. No promise to others yet. */
export { examineCluster } from './examine/examine.ts'
export type { ClusterFinding } from './examine/finding.ts'
export { Replication, type ReplicationOptions, type ReplicationStatus, type StateName } from './replication.ts'
export type { ReplicationSettings } from './settings.ts'
export type { CopiedValue } from './values/copied-value.ts'
