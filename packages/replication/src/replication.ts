/**
 * A store of the local registry that is a copy of a prefix in a cluster: the store, what fills it, what writes for its clients, and when it is
 * published: once it is complete and live, or when that takes too long.
 */
import { type Binder, OwnedStore } from '@memsvc/shared'
import { type Caller, type CoreEdit, type ReplicaState, replicaStates } from '@memsvc/shared/internal'
import type { Engine } from './engine/engine.ts'
import { EtcdEngine } from './etcd/etcd-engine.ts'
import { Replica, type ReplicaStatus } from './replica/replica.ts'
import { JSON_TEXT } from './replica/value-form.ts'
import type { ReplicationSettings } from './settings.ts'
import { CopiedValue } from './values/copied-value.ts'
import { Writer } from './writing/writer.ts'

/** What a replication needs. */
export interface ReplicationOptions {
  /** The cluster, the prefix and the limits. */
  readonly settings: ReplicationSettings
  /** Returns true if this caller may write the key here. The cluster checks its own rights, too. */
  readonly mayWrite: (caller: Caller, key: string) => boolean
  /** Called when the state or its reason changes. */
  readonly onState?: (state: StateName, why: string | null) => void
  /** Called during a full read with the number of keys so far. */
  readonly onProgress?: (keys: number) => void
  /** Only for tests: replaces etcd. */
  readonly engine?: Engine
}

/** Whether the copy is current: see `SharedStore.status`. */
export type StateName = 'syncing' | 'live' | 'stale' | 'refused'

/** The state of a replication. */
export interface ReplicationStatus extends Omit<ReplicaStatus, 'state' | 'applied'> {
  /** Whether the copy is current: see `SharedStore.status`. */
  readonly state: StateName
  /** The revision of the cluster up to which the copy is complete, as text. */
  readonly applied: string
  /** The name of the store. */
  readonly name: string
  /** The name of this machine in the cluster. */
  readonly machine: string
  /** Whether this machine may change the cluster. */
  readonly mode: ReplicationSettings['mode']
  /** The changes that clients requested, counted by result. */
  readonly changes: Writer['counts']
}

const NAMES: Readonly<Record<number, StateName>> = {
  [replicaStates.SYNCING]: 'syncing',
  [replicaStates.LIVE]: 'live',
  [replicaStates.STALE]: 'stale',
  [replicaStates.REFUSED]: 'refused',
}
/** etcd's default limit of changes in one transaction. */
const EDITS = 128

/**
 * Keeps a copy of the values of an etcd cluster as a store. Until `close()` it owns the store, the connections and the
 * timers.
 */
export class Replication {
  readonly #settings: ReplicationSettings
  readonly #engine: Engine
  readonly #writer: Writer
  readonly #store: OwnedStore
  readonly #replica: Replica
  readonly #live: Promise<void>
  readonly #values: ReadonlyMap<string, CopiedValue>
  #run: Promise<void> | null = null

  /** Makes and seals the store; nothing is asked of the cluster yet. @throws as OwnedStore */
  constructor({ settings, mayWrite, onState, onProgress, engine }: ReplicationOptions) {
    this.#settings = settings
    const { capacity, maxKeys, maxValueBytes, machine } = settings
    this.#engine = engine ?? new EtcdEngine(settings)
    const writes = settings.mode === 'readwrite'
    this.#writer = new Writer({ engine: this.#engine, mayWrite: writes })
    const limits = { edits: EDITS }
    this.#store = new OwnedStore({ capacity, maxKeys, maxValueBytes, mayWrite, limits }, { origin: this.#writer })
    let becameLive: () => void = () => undefined
    this.#live = new Promise((resolve) => {
      becameLive = resolve
    })
    this.#replica = new Replica({
      engine: this.#engine,
      copy: this.#writer.copy,
      machine,
      mayWrite: writes,
      onState: (state: ReplicaState, why: string | null) => {
        if (state === replicaStates.LIVE) becameLive()
        onState?.(NAMES[state] ?? 'stale', why)
      },
      ...(onProgress === undefined ? {} : { onProgress }),
    })
    this.#writer.use(this.#replica)
    const set = (key: string, value: number) => this.#writer.update([edit(key, value)]).then(() => undefined)
    this.#values = new Map(settings.values.map((name) => [name, new CopiedValue({ name, mayWrite, set })]))
    this.#replica.contents.onKeys = (keys) => this.#refresh(keys)
  }

  /** The keys of the copy that are values of their own. Publish each while it is there. They belong to this object. */
  get values(): readonly CopiedValue[] {
    return [...this.#values.values()]
  }

  /** The service: publish it with `ServiceManager.addService`. It belongs to the store. */
  get binder(): Binder {
    return this.#store.binder
  }

  /** Resolves when the copy is live for the first time. */
  get live(): Promise<void> {
    return this.#live
  }

  /** The state, for people and for `--json`. */
  get status(): ReplicationStatus {
    const { name, machine, mode } = this.#settings
    const { state, applied, ...rest } = this.#replica.status
    return {
      name,
      machine,
      mode,
      state: NAMES[state] ?? 'stale',
      applied: String(applied),
      ...rest,
      changes: this.#writer.counts,
    }
  }

  /** The revision of the cluster that wrote the value of the key here; 0n if the key has no value. */
  revisionOf(key: string): bigint {
    return this.#replica.contents.revisionOf(key)
  }

  /** The store. It belongs to this object. */
  get store(): OwnedStore {
    return this.#store
  }

  /** Connects to the cluster and starts to copy. */
  start(): void {
    this.#run ??= this.#replica.run()
  }

  /** Stops. Readers keep their values, and see that these are not updated any more. */
  async close(): Promise<void> {
    this.#replica.close()
    await this.#run
    this.#store.close()
    this.#engine.close()
    for (const value of this.#values.values()) value.close()
  }

  #refresh(keys: Iterable<string>): void {
    if (this.#values.size === 0) return
    for (const key of keys) this.#values.get(key)?.take(this.#store.get(key))
  }
}

function edit(key: string, value: number): CoreEdit {
  return { key, value: { type: JSON_TEXT, bytes: Buffer.from(String(value)) } }
}
