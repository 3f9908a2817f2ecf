/** An engine in this process that fails as it is told: for schedules that a real one gives rarely. */

import type { Position, Transaction, TransactionResult, WatchSink } from '../src/engine/engine.ts'
import { type Engine, type EngineChange, EngineError, type EngineValue, type Page } from '../src/engine/engine.ts'
import { PULSE_KEY_BYTES } from '../src/replica/pulse-key.ts'

interface OpenWatch {
  readonly sink: WatchSink
  readonly end: (error: Error) => void
  /** It has had what was before it. */
  isReady: boolean
}

export class FakeEngine implements Engine {
  cluster = 'one'
  readonly endpoint = 'fake'
  /** All that ever happened, in the order of its revisions. */
  history: EngineChange[] = []
  /** What was before is forgotten. */
  compacted = 0n
  /** Watches open, and nothing comes by them. */
  isMute = false
  /** It refuses pulses, as one that has no room does. */
  hasNoPulse = false
  /** This user may not put pulses: so many were refused. */
  isReadOnly = false
  denied = 0
  /** What comes by the watches waits for `release`. */
  isHeld = false
  #held: (() => void)[] = []
  /** A change waits for what this answers; null: for nothing. */
  onCommit: ((key: string) => Promise<void> | null) | null = null
  /** Told when a watch opens, before anything comes by it. */
  onWatch: (() => void) | null = null
  /** From where watches were opened. */
  readonly opened: bigint[] = []
  readonly #watches = new Set<OpenWatch>()
  #revision = 1n

  get revision(): bigint {
    return this.#revision
  }

  put(key: string, value: string | null): bigint {
    this.#change([{ key: Buffer.from(key), value: value === null ? null : Buffer.from(value) }])
    return this.#revision
  }

  /** As a backup of that revision, restored. */
  restore(revision: bigint): void {
    this.history = this.history.filter((change) => change.revision <= revision)
    this.#revision = revision
    this.break()
  }

  break(): void {
    for (const { end } of this.#watches) end(new EngineError('unknown', 'broken'))
  }

  async look(key: Buffer): Promise<Position & { present: EngineValue | null }> {
    return { ...this.#position, present: this.#at(this.#revision).get(key.toString()) ?? null }
  }

  async lookAt(key: Buffer, revision: bigint): Promise<EngineValue | null> {
    if (revision < this.compacted) throw new EngineError('compacted', 'compacted')
    if (revision > this.#revision) throw new EngineError('refused', 'future revision')
    return this.#at(revision).get(key.toString()) ?? null
  }

  async list(after: Buffer | null, at: bigint | null, limit: number): Promise<Page> {
    const revision = at ?? this.#revision
    const all = [...this.#at(revision).values()].sort((a, b) => a.key.compare(b.key))
    const rest = all.filter(({ key }) => after === null || key.compare(after) > 0)
    return { cluster: this.cluster, revision, values: rest.slice(0, limit), isLast: rest.length <= limit }
  }

  async watch(from: bigint, sink: WatchSink, signal: AbortSignal): Promise<never> {
    if (from < this.compacted) throw new EngineError('compacted', 'compacted')
    this.opened.push(from)
    return new Promise<never>((_resolve, reject) => {
      const watch: OpenWatch = {
        sink,
        isReady: false,
        end: (error: Error) => {
          this.#watches.delete(watch)
          reject(error)
        },
      }
      this.#watches.add(watch)
      signal.addEventListener('abort', () => watch.end(new EngineError('unknown', 'ended')))
      sink.onOpen(this.#position)
      this.onWatch?.()
      // Also what is added meanwhile.
      for (let i = 0; i < this.history.length; i++) {
        const change = this.history[i] as EngineChange
        // As etcd 3.4 does: of a delete that is the last thing which was compacted nothing is said.
        const isDropped = change.value === null && change.revision <= this.compacted
        if (change.revision >= from && !isDropped) this.#tell([change], watch)
      }
      watch.isReady = true
    })
  }

  async commit({ conditions, edits }: Transaction): Promise<TransactionResult> {
    const isPulse = edits.some(({ key }) => key.equals(PULSE_KEY_BYTES))
    if (this.hasNoPulse && isPulse) throw new EngineError('full', 'no room')
    if (this.isReadOnly && isPulse) {
      this.denied += 1
      throw new EngineError('denied', 'permission denied')
    }
    await this.onCommit?.(edits[0]?.key.toString() ?? '')
    const now = this.#at(this.#revision)
    const present = conditions.map(({ key }) => now.get(key.toString()) ?? null)
    const isDone = conditions.every(({ revision }, i) => (present[i]?.revision ?? 0n) === revision)
    if (isDone) this.#change(edits)
    return { ...this.#position, isDone, hasChanged: isDone, present: isDone ? [] : present }
  }

  /** What has waited comes now. */
  release(): void {
    this.isHeld = false
    for (const tell of this.#held.splice(0)) tell()
  }

  turn(): void {}

  close(): void {
    this.break()
  }

  get #position(): Position {
    return { cluster: this.cluster, revision: this.#revision }
  }

  #change(edits: Transaction['edits']): void {
    this.#revision += 1n
    const changes = edits.map(({ key, value }) => ({ key, value, revision: this.#revision }))
    this.history.push(...changes)
    for (const watch of [...this.#watches]) if (watch.isReady) this.#tell(changes, watch)
  }

  #tell(changes: EngineChange[], watch: OpenWatch): void {
    if (this.isHeld) {
      this.#held.push(() => this.#tell(changes, watch))
      return
    }
    if (!this.isMute && this.#watches.has(watch)) watch.sink.onChanges({ ...this.#position, changes })
  }

  #at(revision: bigint): Map<string, EngineValue> {
    const values = new Map<string, EngineValue>()
    for (const change of this.history) {
      if (change.revision > revision) break
      if (change.value === null) values.delete(change.key.toString())
      else values.set(change.key.toString(), { ...change, value: change.value })
    }
    return values
  }
}
