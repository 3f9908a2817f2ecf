/** Everything that the page shows. Changes are reported to listeners as named events. */
import { type ServiceManager, UnsupportedOperationError } from '@memsvc/shared'
import { Deadline, drawSvg, type Inspection, inspectService, type RegistryChoice } from '@memsvc/shared/internal'
import { Connection } from './connection.ts'
import { History } from './history.ts'
import { Services } from './services.ts'
import { StoreFollower } from './store-follower.ts'
import { ValueFollower } from './value-follower.ts'

export interface ModelOptions {
  readonly registry: RegistryChoice
  readonly path: string
  /** What the page begins with. */
  readonly name: string
  readonly store: string
  /** Messages from before the page was opened. */
  readonly notice: string | null
  /** Null: this window starts no daemon. */
  readonly starter: { start(): Promise<{ readonly said: string; readonly isFailure: boolean } | null> } | null
}

export type Listener = (event: string, data: unknown) => void

/** The most followers of each kind. Beyond that, the oldest one ends. */
const MOST_FOLLOWED = 32

export class Model {
  readonly #options: ModelOptions
  readonly #connection: Connection
  readonly #listeners = new Set<Listener>()
  readonly #history = new History((entry) => this.#tell('change', entry))
  readonly #services: Services
  #notice: string | null
  readonly #values = new Map<string, ValueFollower>()
  readonly #stores = new Map<string, StoreFollower>()

  constructor(options: ModelOptions) {
    this.#options = options
    this.#notice = options.notice
    const onTrouble = () => this.#tell('trouble', this.#trouble)
    this.#connection = new Connection(options.registry, onTrouble)
    const onList = (list: unknown) => this.#tell('services', list)
    this.#services = new Services(this.#connection, { onList, onSlow: onTrouble })
    this.value(options.name)
    this.store(options.store)
  }

  /** Tells what there is, and then what changes. @returns ends it */
  listen(listener: Listener): () => void {
    const { path, name, store, starter } = this.#options
    this.#listeners.add(listener)
    if (this.#listeners.size === 1) this.#services.setWatched(true)
    const identity = { uid: process.geteuid?.() ?? -1, pid: process.pid }
    listener('hello', { registry: path, name, store, canStart: starter !== null, ...identity })
    listener('notice', this.#notice)
    listener('trouble', this.#trouble)
    listener('services', this.#services.list)
    for (const follower of this.#values.values()) listener('value', follower.state)
    for (const follower of this.#stores.values()) listener('store', follower.state)
    listener('history', this.#history.entries)
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size === 0) this.#services.setWatched(false)
    }
  }

  value(name: string): ValueFollower {
    return followed(this.#values, name, () => {
      const onState = (state: unknown) => this.#tell('value', state)
      return new ValueFollower(name, { connection: this.#connection, history: this.#history, onState })
    })
  }

  store(name: string): StoreFollower {
    return followed(this.#stores, name, () => {
      const onState = (state: unknown) => this.#tell('store', state)
      const onChange = (change: unknown) => this.#tell('entry', change)
      return new StoreFollower(name, { connection: this.#connection, history: this.#history, onState, onChange })
    })
  }

  /**
   * Who holds the memory: a picture without colours, and its contents.
   * @throws as inspectService
   */
  async inspect(name: string): Promise<{ svg: string; regions: Inspection[] }> {
    const deadline = new Deadline()
    const manager: ServiceManager = await deadline.within(this.#connection.manager(), 'the registry')
    const regions = await inspectService(name, { manager, deadline })
    return { svg: drawSvg(regions, { style: false }), regions }
  }

  /**
   * Starts a daemon if none is running.
   * @throws ERR_UNSUPPORTED_OPERATION if this window may not start one; Error that says why it failed
   */
  async start(): Promise<void> {
    const { starter } = this.#options
    if (starter === null)
      throw new UnsupportedOperationError('this window cannot start a daemon: it was opened with --no-start')
    const done = await starter.start()
    if (done?.isFailure) throw new Error(done.said)
    if (done === null) return
    this.#notice = done.said
    this.#tell('notice', done.said)
  }

  close(): void {
    this.#services.setWatched(false)
    this.#connection.close()
    for (const follower of [...this.#values.values(), ...this.#stores.values()]) follower.close()
  }

  get #trouble(): string | null {
    const slow = `the registry at ${this.#options.path} does not answer: its daemon is stopped, or has too much to do`
    return this.#connection.trouble ?? (this.#services.isSlow ? slow : null)
  }

  #tell(event: string, data: unknown): void {
    for (const listener of this.#listeners) listener(event, data)
  }
}

function followed<T extends { close(): void }>(all: Map<string, T>, name: string, make: () => T): T {
  const known = all.get(name)
  if (known !== undefined) return known
  const [oldest] = [...all.keys()].slice(1) // the first is what the page began with
  if (all.size >= MOST_FOLLOWED && oldest !== undefined) {
    all.get(oldest)?.close()
    all.delete(oldest)
  }
  const made = make()
  all.set(name, made)
  return made
}
