/**
 * @memsvc/replication: a package of its own, loaded by name where it is installed. Packages on the same layer do not
 *   import each other.
 */
import { createRequire } from 'node:module'
import { type Binder, IllegalStateError } from '@memsvc/shared'
import type { Caller } from '@memsvc/shared/internal'
import { packageOf } from '../process/package-folder.ts'

/** Its settings. The package declares the same types; a test of the package runs the command here. */
export interface ReplicationSettings {
  readonly name: string
  readonly values: readonly string[]
  readonly endpoints: readonly string[]
  readonly prefix: string
  readonly machine: string
  readonly mode: 'readwrite' | 'read'
  readonly tls: {
    readonly ca?: string | undefined
    readonly cert?: string | undefined
    readonly key?: string | undefined
  }
  readonly credentials: { readonly user: string; readonly password: string } | null
  readonly capacity: number
  readonly maxKeys: number
  readonly maxValueBytes: number
}

export interface ReplicationStatus {
  readonly name: string
  readonly state: 'syncing' | 'live' | 'stale' | 'refused'
  readonly applied: string
  readonly ageMs: number | null
  readonly keys: number
  readonly oddKeys: number
  readonly sessions: number
  readonly fullReads: number
  readonly reason: string | null
  readonly changes: Readonly<Record<string, number>>
}

/** An int32 that is published under a name. */
export interface CopiedValue {
  readonly name: string
  readonly binder: Binder
  readonly isThere: boolean
  onPresence: ((isThere: boolean) => void) | null
}

export interface Replication {
  readonly binder: Binder
  readonly values: readonly CopiedValue[]
  readonly live: Promise<void>
  readonly status: ReplicationStatus
  start(): void
  close(): Promise<void>
}

/** What it finds when it examines a cluster, in the form of `Finding`. */
interface ClusterFinding {
  readonly name: string
  readonly verdict: 'ok' | 'warning' | 'problem'
  readonly found: string
  readonly follows: string | null
  readonly remedy: string | null
}

interface ReplicationModule {
  readonly examineCluster: (settings: ReplicationSettings) => Promise<readonly ClusterFinding[]>
  readonly Replication: new (options: {
    readonly settings: ReplicationSettings
    readonly mayWrite: (caller: Caller, key: string) => boolean
    readonly onState: (state: ReplicationStatus['state'], why: string | null) => void
    readonly onProgress: (keys: number) => void
  }) => Replication
}

/** Of the package. */
export const REPLICATION: string = '@memsvc/replication'

/** @throws ERR_ILLEGAL_STATE it is not installed */
export async function loadReplication(): Promise<ReplicationModule> {
  try {
    return (await import(REPLICATION)) as ReplicationModule
  } catch (cause) {
    throw notInstalled(cause)
  }
}

/** The folder of the package. @throws ERR_ILLEGAL_STATE it is not installed */
export function replicationPackage(): string {
  try {
    return packageOf(createRequire(import.meta.url).resolve(REPLICATION))
  } catch (cause) {
    throw notInstalled(cause)
  }
}

function notInstalled(cause: unknown): IllegalStateError {
  return new IllegalStateError(
    `memsvc replicate needs the package ${REPLICATION}, which cannot be loaded (${(cause as Error).message.split('\n')[0]}): ` +
      `npm install ${REPLICATION}, beside memsvc (globally: npm install -g ${REPLICATION})`,
    { cause },
  )
}
