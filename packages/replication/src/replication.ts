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

/** What a replication is made of. */
export interface ReplicationOptions {
  /** What it is told to do. */
  readonly settings: ReplicationSettings
  /** Whether this caller may write the key here; the cluster has rights of its own besides. */
  readonly mayWrite: (caller: Caller, key: string) => boolean
  /** Told when the state is another one, or why it is. */
  readonly onState?: (state: StateName, why: string | null) => void
  /** Told how many keys a full read has had so far. */
  readonly onProgress?: (keys: number) => void
  /** Of the tests: in place of etcd. */
  readonly engine?: Engine
}

/** How true the copy is. */
export type StateName = 'syncing' | 'live' | 'stale' | 'refused'

/** What it says of itself. */
export interface ReplicationStatus extends Omit<ReplicaStatus, 'state' | 'applied'> {
  /** How true the copy is. */
  readonly state: StateName
  /** The cluster's revision, as text. */
  readonly applied: string
  /** Of the store. */
  readonly name: string
  /** What this machine is called in the cluster. */
  readonly machine: string
  /** Whether this machine changes the cluster. */
  readonly mode: ReplicationSettings['mode']
  /** That clients asked for, by what came of them. */
  readonly changes: Writer['counts']
}

const NAMES: Readonly<Record<number, StateName>> = {
  [replicaStates.SYNCING]: 'syncing',
  [replicaStates.LIVE]: 'live',
  [replicaStates.STALE]: 'stale',
  [replicaStates.REFUSED]: 'refused',
}
/** etcd takes no more changes in one transaction, as it comes. */
const EDITS = 128

/** Owns the store, the connections and the timers, until `close()`. */
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

  /** Those of the copy that have names of their own: each is to be published while it is there. Belong to this object. */
  get values(): readonly CopiedValue[] {
    return [...this.#values.values()]
  }

  /** To be published. Belongs to the store. */
  get binder(): Binder {
    return this.#store.binder
  }

  /** Resolves when the copy is live for the first time. */
  get live(): Promise<void> {
    return this.#live
  }

  /** For people, and for `--json`. */
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

  /** Of the cluster, which wrote the value that the key has here; 0n: it has none. */
  revisionOf(key: string): bigint {
    return this.#replica.contents.revisionOf(key)
  }

  /** The store itself, for who publishes parts of it in another form. Belongs to this object. */
  get store(): OwnedStore {
    return this.#store
  }

  /** Begins. */
  start(): void {
    this.#run ??= this.#replica.run()
  }

  /** Readers keep what they have, and see that it is not kept true any more. */
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
