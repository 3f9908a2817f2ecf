/**
 * Descriptors that were sent on one channel and that its peer may not have read. The kernel counts them against the user
 * of the sender, whoever does not read them: too many, and nobody of that user can send any more (ETOOMANYREFS). So
 * somebody pays for them, and a peer that reads nothing gets no more than its share.
 *
 * The kernel tells when nothing at all is unread (SIOCOUTQ), and tells it only to those who ask. They ask when they have
 * more to send, and all of them when somebody's share is used up. A channel that ends before its peer has read keeps its
 * socket here until then: what is in the peer's queue is in flight as long as the peer has its end.
 */

import { type HubSocket, type OwnedFd, SHUT_RDWR, shutdown, unreadBytes } from 'memfd-native'
import { LimitError } from '../util/errors.ts'
import { clearInterval, now, setInterval } from '../util/timers.ts'
import { TransientSet } from '../util/transient.ts'
import type { ChannelBudget } from './held-bytes.ts'

/** Milliseconds between two times that all are asked: to ask one costs a system call. */
const POLL_INTERVAL_MS = 10

/** Those who have something in flight. */
const holders = new TransientSet<InFlight>()

/** The sockets of channels that have ended. */
const lingering = new TransientSet<Lingering>()

interface Lingering {
  readonly fd: OwnedFd
  readonly onRead: () => void
}

let lastPoll = 0
let lingerTimer: NodeJS.Timeout | undefined

export class InFlight {
  readonly #socket: HubSocket
  readonly #budget: ChannelBudget | undefined
  #count = 0

  /** @param budget who pays; without one nothing is counted */
  constructor(socket: HubSocket, budget: ChannelBudget | undefined) {
    this.#socket = socket
    this.#budget = budget
  }

  /** So many more are to be sent now. @returns null: they count as sent; or whose share is used up */
  admit(count: number): LimitError | null {
    if (this.#budget === undefined) return null
    this.refundIfRead()
    const refusal = tryCharge(this.#budget, count)
    if (refusal !== null && !(refundWhatWasRead() && tryCharge(this.#budget, count) === null)) return refusal
    this.#count += count
    holders.add(this)
    return null
  }

  /** Whether this peer has read all. */
  get isRead(): boolean {
    return this.#count === 0
  }

  /** They were not sent after all. */
  cancel(count: number): void {
    this.#budget?.refund('unreadDescriptors', count)
    this.#count -= this.#budget === undefined ? 0 : count
    if (this.#count === 0) holders.delete(this)
  }

  /** The channel has ended. Takes its socket over if there is anything unread, otherwise leaves it. */
  close(): void {
    this.refundIfRead()
    if (this.#count === 0 || this.#budget === undefined) return
    holders.delete(this)
    linger(this.#socket.detach(), this.#budget.carryOver('unreadDescriptors', this.#count))
    this.#count = 0
  }

  /** Forgets what was read. */
  refundIfRead(): void {
    if (this.#count === 0 || this.#socket.unreadBytes() > 0) return
    this.#budget?.refund('unreadDescriptors', this.#count)
    this.#count = 0
    holders.delete(this)
  }
}

function tryCharge(budget: ChannelBudget, count: number): LimitError | null {
  try {
    budget.charge('unreadDescriptors', count)
    return null
  } catch (error) {
    if (error instanceof LimitError) return error
    throw error
  }
}

/**
 * Asks the kernel about all channels, so that only unread descriptors stay charged. Does nothing if that was done a
 * moment ago.
 * @returns false in that case
 */
export function refundWhatWasRead(): boolean {
  if (now() - lastPoll < POLL_INTERVAL_MS) return false
  lastPoll = now()
  for (const holder of holders) holder.refundIfRead()
  for (const end of lingering) closeIfRead(end)
  return true
}

function linger(fd: OwnedFd, onRead: () => void): void {
  shutdown(fd, SHUT_RDWR) // behind what is unread the peer finds the end
  lingering.add({ fd, onRead })
  lingerTimer ??= setInterval(pollLingering, POLL_INTERVAL_MS).unref()
}

function pollLingering(): void {
  for (const end of lingering) closeIfRead(end)
  if (lingering.size > 0) return
  clearInterval(lingerTimer)
  lingerTimer = undefined
}

function closeIfRead(end: Lingering): void {
  if (unreadBytes(end.fd) > 0) return
  lingering.delete(end)
  end.fd.close()
  end.onRead()
}
