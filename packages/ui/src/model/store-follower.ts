/** A store: what it has, searched; its changes; and edits that go to its owner with this user's rights. */
import { setTimeout as delay } from 'node:timers/promises'
import { BinderProxy, DeadObjectError, type Json, SharedStore } from '@memsvc/shared'
import { errorText } from '@memsvc/shared/internal'
import type { Connection } from './connection.ts'
import { entryText, preview, readEdit } from './entry-text.ts'
import { Heartbeat } from './heartbeat.ts'
import type { History } from './history.ts'
import type { EntryText, ListedEntry, StoreList, StoreState } from './shown.ts'

/** A page of them is long enough to look at. */
const LISTED = 500
const RETRY_MS = 200
/** Between two looks whether the owner is there. */
const LOOK_MS = 500

export class StoreFollower {
  readonly #name: string
  readonly #connection: Connection
  readonly #history: History
  readonly #onState: (state: StoreState) => void
  readonly #onChange: (change: { name: string; key: string; version: string }) => void
  #store: SharedStore | null = null
  readonly #heartbeat: Heartbeat
  #owner: BinderProxy | null = null
  #state: StoreState
  #isClosed = false
  readonly #timer: NodeJS.Timeout

  constructor(
    name: string,
    parts: {
      connection: Connection
      history: History
      onState: (state: StoreState) => void
      onChange: (change: { name: string; key: string; version: string }) => void
    },
  ) {
    this.#name = name
    this.#connection = parts.connection
    this.#history = parts.history
    this.#onState = parts.onState
    this.#onChange = parts.onChange
    this.#state = { name, state: 'absent', keys: 0, problem: null }
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref()
    this.#heartbeat = new Heartbeat(
      () => this.#ping(),
      () => this.#look(),
    )
    void this.#follow()
  }

  get state(): StoreState {
    return this.#state
  }

  /** The keys that have this text in them, sorted. */
  list(search: string): StoreList {
    const store = this.#store
    if (store === null) return { ...this.#state, found: 0, entries: [] }
    const keys = store.keys().filter((key) => key.includes(search))
    const entries = keys.slice(0, LISTED).map((key): ListedEntry => {
      const { type, byteLength, version, value } = store.getEntry<Json>(key)
      return { key, type, bytes: byteLength, version: String(version), preview: preview(value) }
    })
    return { ...this.#state, found: keys.length, entries }
  }

  /** Null: there is no such key. @throws ERR_DEAD_OBJECT the store was never found */
  entry(key: string): EntryText | null {
    const found = this.#opened().getEntry<Json>(key)
    return found.type === null ? null : entryText(found)
  }

  /** @returns the version. @throws ERR_CONFLICT, ERR_SECURITY, ERR_LIMIT, ERR_INVALID_ARG_VALUE, ERR_TIMEOUT */
  async put(key: string, edit: { text: string; mode: string; ifVersion: bigint | undefined }): Promise<string> {
    const { ifVersion } = edit
    const options = ifVersion === undefined ? {} : { ifVersion }
    return String(await this.#opened().set(key, readEdit(edit), options))
  }

  /** @throws as put */
  async delete(key: string, ifVersion: bigint | undefined): Promise<boolean> {
    return this.#opened().delete(key, ifVersion === undefined ? {} : { ifVersion })
  }

  close(): void {
    this.#isClosed = true
    clearInterval(this.#timer)
    this.#heartbeat.close()
    this.#owner?.close()
    this.#store?.close()
  }

  #opened(): SharedStore {
    if (this.#store === null) throw new DeadObjectError('there is no store')
    return this.#store
  }

  async #follow(): Promise<void> {
    const { signal } = this.#connection
    while (!this.#isClosed && !signal.aborted) {
      try {
        const manager = await this.#connection.manager()
        const binder = await manager.waitForService(this.#name, { signal })
        if (binder instanceof BinderProxy) binder.close()
        const store = await SharedStore.open(this.#name, { manager, signal })
        if (this.#isClosed) return store.close()
        this.#store = store
        this.#look()
        for await (const { key, value, version } of store.changes('', { signal })) {
          const text = value === undefined ? null : preview(value)
          this.#history.add({ name: this.#name, key, text, version: String(version) })
          this.#onChange({ name: this.#name, key, version: String(version) })
          this.#look()
        }
      } catch (error) {
        if (this.#isClosed || signal.aborted) return
        this.#store?.close()
        this.#store = null
        this.#become({ name: this.#name, state: 'unusable', keys: 0, problem: errorText(error) })
      }
      await delay(RETRY_MS, undefined, { signal }).catch(() => undefined)
    }
  }

  /** Asks the owner on a channel of its own, because a store makes no calls while nobody writes. */
  async #ping(): Promise<void> {
    if (this.#owner?.isBinderAlive() !== true) {
      const manager = await this.#connection.manager()
      const found = await manager.getService(this.#name)
      if (!(found instanceof BinderProxy)) return
      if (this.#isClosed) return found.close()
      this.#owner?.close()
      this.#owner = found
    }
    await this.#owner.pingBinder()
  }

  #look(): void {
    const store = this.#store
    if (store === null) return
    const state = !store.status.connected ? 'stale' : this.#heartbeat.isSlow ? 'slow' : 'live'
    this.#become({ name: this.#name, state, keys: store.size, problem: null })
  }

  #become(state: StoreState): void {
    const before = this.#state
    if (state.state === before.state && state.keys === before.keys && state.problem === before.problem) return
    this.#state = state
    this.#onState(state)
  }
}
