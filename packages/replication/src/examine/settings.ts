/** The settings of a replication that an examination needs. */
import type { TlsOptions } from '../etcd/asking.ts'
import type { Credentials } from '../etcd/session.ts'

/** As ReplicationSettings has them. */
export interface ExaminedSettings {
  /** The URLs of etcd's nodes. */
  readonly endpoints: readonly string[]
  /** Of all keys in etcd. */
  readonly prefix: string
  /** For https endpoints. */
  readonly tls: TlsOptions
  /** The user and password for etcd; null if it needs none. */
  readonly credentials: Credentials | null
  /** Whether the right to write is needed. */
  readonly mode: 'readwrite' | 'read'
}
