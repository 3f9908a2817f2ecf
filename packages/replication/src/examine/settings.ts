/** Of what a replication is told, what an examination needs. */
import type { TlsOptions } from '../etcd/asking.ts'
import type { Credentials } from '../etcd/session.ts'

/** As ReplicationSettings has them. */
export interface ExaminedSettings {
  /** URLs of etcd's nodes. */
  readonly endpoints: readonly string[]
  /** Of all keys in etcd. */
  readonly prefix: string
  /** For https endpoints. */
  readonly tls: TlsOptions
  /** Of etcd; null: it asks for none. */
  readonly credentials: Credentials | null
  /** Whether the right to write is needed. */
  readonly mode: 'readwrite' | 'read'
}
