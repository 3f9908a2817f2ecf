/**
 * The peer's objects on one channel, by its numbers. Objects that have arrived but were not read yet are only counted.
 * The others have proxies, which are held weakly after their first turn; when a proxy is collected, its references are
 * given back to the peer. Both are charged before they exist.
 */

import type { References } from '../channel/channel.ts'
import type { ChannelBudget } from '../channel/held-bytes.ts'
import { CHANNEL_LIMITS } from '../channel/limits.ts'
import { LimitError } from '../util/errors.ts'
import { limitError } from '../util/limit.ts'
import { NumberTable } from '../util/number-table.ts'
import { setImmediate } from '../util/timers.ts'
import type { BinderProxy } from './binder-proxy.ts'

interface Import {
  readonly imports: Imports
  readonly number: number
  proxy: WeakRef<BinderProxy> | BinderProxy
  /** References that the peer counts for us. */
  references: number
  /** Until the end of its first turn. */
  isStronglyHeld: boolean
}

let forget: (imports: Imports, entry: Import) => void

/** One registry for all channels: one for each would be the largest part of an idle channel. */
const collected = new FinalizationRegistry<Import>((entry) => forget(entry.imports, entry))

/**
 * A weakly held object survives every minor collection, and so does its holder. Most proxies are closed in the same
 * turn of the event loop, for example after a refused call, and should be cheap garbage. So new proxies are held in an
 * array, a new one for each turn. A Set that grows and shrinks all the time would leave garbage that only a major
 * collection frees.
 */
let stronglyHeld: Import[] = []

function weakenStronglyHeld(): void {
  const entries = stronglyHeld
  stronglyHeld = []
  for (const entry of entries) {
    if (!entry.isStronglyHeld) continue
    entry.isStronglyHeld = false
    const proxy = entry.proxy as BinderProxy
    entry.proxy = new WeakRef(proxy)
    collected.register(proxy, entry, entry)
  }
}

/** Whom the references go back to. */
export interface Creditor {
  giveBack(references: readonly References[]): void
}

export class Imports {
  readonly #byNumber = new NumberTable<Import>()
  /** References that came and have neither been opened nor given back. */
  #unread = 0
  #budget: ChannelBudget | undefined
  #isClosed = false
  readonly #creditor: Creditor

  constructor(creditor: Creditor) {
    this.#creditor = creditor
  }

  static {
    forget = (imports, entry) => imports.#forget(entry)
  }

  /** Who pays. Before anything has come. */
  chargeTo(budget: ChannelBudget): void {
    this.#budget = budget
  }

  /** The peer's objects that are held here, unread ones, and those collected but not given back yet. */
  get size(): number {
    return this.#byNumber.size + this.#unread
  }

  /** So many references have come, which will each be opened or given back; or the limit that forbids it. */
  admit(count: number): LimitError | null {
    const { proxies } = CHANNEL_LIMITS
    if (this.size + count > proxies.limit) return limitError(proxies, this.size + count)
    try {
      this.#budget?.charge('objects', count)
    } catch (error) {
      if (error instanceof LimitError) return error
      throw error
    }
    this.#unread += count
    return null
  }

  /** The one proxy of the peer's object, made if there is none; an admitted reference is its. */
  open(number: number, make: () => BinderProxy): BinderProxy {
    this.#unread -= 1
    const entry = this.#byNumber.get(number)
    if (entry === undefined) return this.#remember(number, make(), 1)
    this.#budget?.refund('objects', 1) // the entry pays already
    entry.references += 1
    return liveOf(entry) ?? this.#remember(number, make(), entry.references)
  }

  /** Admitted references that nobody opens go back. @param numbers of the objects, sorted here; one may come several times */
  releaseUnread(numbers: Uint32Array): void {
    if (this.#isClosed) return
    this.#unread -= numbers.length
    this.#budget?.refund('objects', numbers.length)
    this.#creditor.giveBack(counted(numbers))
  }

  /** A proxy was made for a call that is not carried out. It goes back now, unless the same object has come otherwise too. */
  abandon(number: number): void {
    const entry = this.#byNumber.get(number)
    if (entry !== undefined && entry.references === 1 && entry.isStronglyHeld) this.#forget(entry)
  }

  /** Gives all references of a proxy back now, when it is closed. */
  drop(number: number): void {
    const entry = this.#byNumber.get(number)
    if (entry !== undefined) this.#forget(entry)
  }

  /** The proxies that are still in use. */
  *proxies(): Generator<BinderProxy> {
    for (const entry of this.#byNumber.values()) {
      const live = liveOf(entry)
      if (live !== undefined) yield live
    }
  }

  /** The channel is over: nothing can be given back, and nothing is paid for. */
  close(): void {
    if (this.size > 0) this.#budget?.refund('objects', this.size)
    for (const entry of this.#byNumber.values()) leave(entry)
    this.#byNumber.clear()
    this.#unread = 0
    this.#budget = undefined
    this.#isClosed = true
  }

  #remember(number: number, proxy: BinderProxy, references: number): BinderProxy {
    const entry = { imports: this, number, proxy, references, isStronglyHeld: true }
    this.#byNumber.set(entry)
    if (stronglyHeld.length === 0) setImmediate(weakenStronglyHeld).unref()
    stronglyHeld.push(entry)
    return proxy
  }

  #forget(entry: Import): void {
    // Not if the object came again meanwhile: its new proxy took the references over.
    if (this.#byNumber.get(entry.number) !== entry) return
    this.#byNumber.delete(entry.number)
    leave(entry)
    this.#budget?.refund('objects', 1)
    this.#creditor.giveBack([{ object: entry.number, count: entry.references }])
  }
}

function liveOf({ proxy }: Import): BinderProxy | undefined {
  return proxy instanceof WeakRef ? proxy.deref() : proxy
}

function leave(entry: Import): void {
  if (entry.isStronglyHeld) entry.isStronglyHeld = false
  else collected.unregister(entry)
}

/** How many of each there are. */
export function counted(numbers: Uint32Array): References[] {
  numbers.sort()
  const all: References[] = []
  for (let first = 0; first < numbers.length; ) {
    let next = first + 1
    while (numbers[next] === numbers[first]) next += 1
    all.push({ object: numbers[first] as number, count: next - first })
    first = next
  }
  return all
}
