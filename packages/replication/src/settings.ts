/** What a replication is told to do. Files were read by then: nothing here knows where a configuration is. */
import type { TlsOptions } from './etcd/asking.ts'
import type { Credentials } from './etcd/session.ts'

/** Where the cluster is, what of it is here, and under which name. */
export interface ReplicationSettings {
  /** Of the store in the local registry. */
  readonly name: string
  /** Keys that are values of their own besides, under the same names: int32s. */
  readonly values: readonly string[]
  /** URLs of etcd's nodes. */
  readonly endpoints: readonly string[]
  /** Of all keys in etcd; not empty. */
  readonly prefix: string
  /** What this machine is called in the cluster. */
  readonly machine: string
  /** Whether changes of this machine go to the cluster. */
  readonly mode: 'readwrite' | 'read'
  /** For https endpoints: texts in PEM. */
  readonly tls: TlsOptions
  /** Of etcd; null: it asks for none. */
  readonly credentials: Credentials | null
  /** In bytes. */
  readonly capacity: number
  /** Of the store, at most 16,777,216. */
  readonly maxKeys: number
  /** At most what etcd takes in one request. */
  readonly maxValueBytes: number
}
