/** The binders of this process that the peer of one channel holds, by their numbers. */
import type { AsyncContext } from 'memfd-native'
import type { ChannelBudget } from '../channel/held-bytes.ts'
import { Violation } from '../channel/message.ts'
import { NumberTable } from '../util/number-table.ts'
import { isBackground } from './background.ts'
import type { Binder } from './binder.ts'
import { contextFor } from './binder-context.ts'

interface Export {
  readonly number: number
  readonly binder: Binder
  /** Its calls are served in it. */
  readonly context: AsyncContext | null
  /** References that the peer has been sent and has not given back. */
  references: number
}

export class Exports {
  readonly #byNumber = new NumberTable<Export>()
  #numbers: Map<Binder, number> | null = null
  #lastNumber = 0
  #keeping = 0
  #budget: ChannelBudget | undefined

  /** Who pays. Before anything is sent. */
  chargeTo(budget: ChannelBudget): void {
    this.#budget = budget
  }

  get size(): number {
    return this.#byNumber.size
  }

  /** Whether there are any that keep the process alive. */
  get keepsAlive(): boolean {
    return this.#keeping > 0
  }

  /** The binder's number; the peer holds one more reference. Taken back by `release` if the message does not leave. @throws LimitError of the budget */
  add(binder: Binder): number {
    const known = this.#numbers?.get(binder)
    if (known === undefined) this.#budget?.charge('objects', 1)
    const number = known ?? ++this.#lastNumber
    if (known === undefined) {
      this.#numbers ??= new Map()
      this.#numbers.set(binder, number)
      this.#byNumber.set({ number, binder, context: contextFor(binder), references: 0 })
      if (!binder[isBackground]) this.#keeping += 1
    }
    ;(this.#byNumber.get(number) as Export).references += 1
    return number
  }

  get(number: number): Binder | undefined {
    return this.#byNumber.get(number)?.binder
  }

  /** Of an object that the peer holds. */
  contextOf(number: number): AsyncContext | null {
    return this.#byNumber.get(number)?.context ?? null
  }

  /** The number of a binder that the peer holds; undefined if it does not hold it. */
  numberOf(binder: Binder): number | undefined {
    return this.#numbers?.get(binder)
  }

  /** @throws Violation for more than was sent */
  release(number: number, count: number): void {
    const entry = this.#byNumber.get(number)
    if (entry === undefined || count < 1 || count > entry.references) {
      throw new Violation(`${count} references to object ${number} came back, which were never sent`)
    }
    entry.references -= count
    if (entry.references > 0) return
    this.#byNumber.delete(number)
    // Another Map, not the same one empty: what it shrinks from would lead to what it grows into.
    if (this.size === 0) this.#numbers = null
    else this.#numbers?.delete(entry.binder)
    if (!entry.binder[isBackground]) this.#keeping -= 1
    this.#budget?.refund('objects', 1)
  }

  /** The channel is over: the peer holds nothing, and nothing is paid for. */
  close(): void {
    if (this.size > 0) this.#budget?.refund('objects', this.size)
    this.#budget = undefined
    this.#keeping = 0
    this.#byNumber.clear()
    this.#numbers = null
  }
}
