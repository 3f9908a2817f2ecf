/**
 * Follows a value as the client of Android's sample does: it finds the service and maps its memory file. It continues
 * across restarts.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { DeadObjectError, errorCode, SharedValue } from '@memsvc/shared'
import { Deadline, errorText } from '@memsvc/shared/internal'
import type { Connection } from './connection.ts'
import { Heartbeat } from './heartbeat.ts'
import type { History } from './history.ts'
import type { ValueState } from './shown.ts'

/** After the service has died, or could not be used. */
const RETRY_MS = 100
const LONG_RETRY_MS = 1000

export class ValueFollower {
  readonly #connection: Connection
  readonly #name: string
  readonly #onState: (state: ValueState) => void
  readonly #history: History
  #value: SharedValue | null = null
  #heartbeat: Heartbeat | null = null
  #state: ValueState
  #isClosed = false

  constructor(name: string, parts: { connection: Connection; history: History; onState: (state: ValueState) => void }) {
    this.#name = name
    this.#connection = parts.connection
    this.#history = parts.history
    this.#onState = parts.onState
    this.#state = { name, state: 'absent', value: null, since: Date.now(), problem: null }
    void this.#follow()
  }

  get state(): ValueState {
    return this.#state
  }

  /** Read from the memory, as the seed does: 0 where there is none yet. */
  read(): { value: number; state: ValueState['state'] } {
    return { value: this.#value?.get() ?? 0, state: this.#state.state }
  }

  /** By the service, with this user's rights. @throws ERR_DEAD_OBJECT there is none; ToolError it is late; as SharedValue.set */
  async write(value: number): Promise<void> {
    if (this.#value === null || !this.#isThere) throw new DeadObjectError('there is no service')
    await new Deadline().within(this.#value.set(value), this.#name)
  }

  close(): void {
    this.#isClosed = true
    this.#heartbeat?.close()
    this.#value?.close()
  }

  async #follow(): Promise<void> {
    const { signal } = this.#connection
    while (!this.#isClosed && !signal.aborted) {
      try {
        const manager = await this.#connection.manager()
        const binder = await manager.waitForService(this.#name, { signal })
        const found = await SharedValue.of(binder)
        if (this.#isClosed) return found.close()
        this.#value?.close()
        this.#value = found
        this.#heartbeat = new Heartbeat(
          () => found.binder.pingBinder(),
          () => this.#isThere && this.#see(found.get()),
        )
        for await (const value of found.changes({ signal })) this.#see(value)
      } catch (error) {
        this.#heartbeat?.close()
        if (this.#isClosed || signal.aborted) return
        this.#lose(error)
      }
      const pauseMs = this.#state.state === 'unusable' ? LONG_RETRY_MS : RETRY_MS
      await delay(pauseMs, undefined, { signal }).catch(() => undefined)
    }
  }

  get #isThere(): boolean {
    return this.#state.state === 'live' || this.#state.state === 'slow'
  }

  #see(value: number): void {
    if (value !== this.#state.value) this.#history.add({ name: this.#name, text: String(value) })
    this.#become(this.#heartbeat?.isSlow ? 'slow' : 'live', value, null)
  }

  #lose(error: unknown): void {
    const isDeath = errorCode(error) === 'ERR_DEAD_OBJECT' || errorCode(error) === 'ERR_CLOSED'
    // The last value before the end may not have been reported yet.
    const last = this.#value?.get() ?? null
    if (this.#value !== null && isDeath) this.#become('gone', last, null)
    else this.#become(isDeath ? 'absent' : 'unusable', last, isDeath ? null : errorText(error))
  }

  #become(state: ValueState['state'], value: number | null, problem: string | null): void {
    if (state === this.#state.state && value === this.#state.value && problem === this.#state.problem) return
    const since = value === this.#state.value && this.#isThere ? this.#state.since : Date.now()
    this.#state = { name: this.#name, state, value, since, problem }
    this.#onState(this.#state)
  }
}
