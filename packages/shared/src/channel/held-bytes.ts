/**
 * Bytes that the peer of one channel makes this process hold: answers that it does not read, bodies that it does not
 * finish, requests that take their time. They are paid for in blocks, and the first few are free, so that everyday calls
 * never ask the budget.
 */

export const BLOCK_BYTES = 65_536
const FREE_BYTES = 4096

/** Blocks of 64 KiB, descriptors that wait here, descriptors that the peer has not read, objects of either side, callbacks. */
export type Charged = 'heldBlocks' | 'heldDescriptors' | 'unreadDescriptors' | 'objects' | 'watchers'

/** The budget for what a channel's peer makes this process hold, besides the limits of the channel. */
export interface ChannelBudget {
  /** @throws LimitError nothing is charged */
  charge(what: Charged, count: number): void
  refund(what: Charged, count: number): void
  /**
   * Keeps a charge for the peer's user after the peer is gone.
   * @returns a function that refunds it
   */
  carryOver(what: 'unreadDescriptors', count: number): () => void
}

export class HeldBytes {
  #budget: ChannelBudget | undefined
  #bytes = 0
  #blocks = 0
  #descriptors = 0

  /** Whether somebody pays: his limits are the ones to go by. */
  get isPaidFor(): boolean {
    return this.#budget !== undefined
  }

  /** Before anything is held. */
  chargeTo(budget: ChannelBudget): void {
    this.#budget = budget
  }

  /** @throws LimitError of the budget: nothing more may be held */
  add(count: number): void {
    const bytes = this.#bytes + count
    if (bytes > FREE_BYTES) this.#chargeFor(bytes)
    this.#bytes = bytes
  }

  #chargeFor(bytes: number): void {
    const missing = blocksOf(bytes) - this.#blocks
    if (missing <= 0) return
    this.#budget?.charge('heldBlocks', missing)
    this.#blocks += missing
  }

  remove(count: number): void {
    this.#bytes -= count
    if (this.#blocks === 0) return
    const surplus = this.#blocks - blocksOf(this.#bytes)
    if (surplus <= 0) return
    this.#blocks -= surplus
    this.#budget?.refund('heldBlocks', surplus)
  }

  /** Descriptors came, and nobody has them yet. @throws LimitError of the budget: they are to be closed */
  addDescriptors(count: number): void {
    if (count === 0) return
    this.#budget?.charge('heldDescriptors', count)
    this.#descriptors += count
  }

  removeDescriptors(count: number): void {
    if (count === 0) return
    this.#descriptors -= count
    this.#budget?.refund('heldDescriptors', count)
  }

  /** The channel has ended: what is still held will be freed, and is not charged any more. */
  close(): void {
    if (this.#blocks > 0) this.#budget?.refund('heldBlocks', this.#blocks)
    if (this.#descriptors > 0) this.#budget?.refund('heldDescriptors', this.#descriptors)
    this.#blocks = 0
    this.#budget = undefined
  }
}

function blocksOf(bytes: number): number {
  return Math.ceil(Math.max(bytes - FREE_BYTES, 0) / BLOCK_BYTES)
}
