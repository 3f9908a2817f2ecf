/** What `memsvc replicate` loads by name. No promise to others yet. */
export { Replication, type ReplicationOptions, type ReplicationStatus, type StateName } from './replication.ts'
export type { ReplicationSettings } from './settings.ts'
