/** The settings of a replication. Files have been read before: this package does not know where a configuration is. */
import type { TlsOptions } from './etcd/asking.ts'
import type { Credentials } from './etcd/session.ts'

/** Where the cluster is, which values to copy, and the name of the copy. */
export interface ReplicationSettings {
  /** The name of the store in the local registry. */
  readonly name: string
  /** Keys with an int32 that are also published as values with the same names. */
  readonly values: readonly string[]
  /** The URLs of etcd's nodes. */
  readonly endpoints: readonly string[]
  /** What all keys begin with in etcd; not empty. */
  readonly prefix: string
  /** The name of this machine in the cluster. */
  readonly machine: string
  /** Whether clients of this machine may change the cluster. */
  readonly mode: 'readwrite' | 'read'
  /** Certificates and key for https endpoints, as texts in PEM. */
  readonly tls: TlsOptions
  /** The user and password for etcd; null if it needs none. */
  readonly credentials: Credentials | null
  /** In bytes. */
  readonly capacity: number
  /** The most keys of the store, at most 16,777,216. */
  readonly maxKeys: number
  /** The longest value, at most what etcd accepts in one request. */
  readonly maxValueBytes: number
}
