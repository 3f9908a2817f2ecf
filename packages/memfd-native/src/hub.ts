/**
 * The hub: all packet sockets (SOCK_SEQPACKET) of this thread, received in batches: one callback for all that are
 * ready.
 *
 * For protocols with many connections; a single socket is simpler with `recvmsg` and an `FdWatcher`. The trap: the
 * packet given to `onPacket` is only lent, and the next batch overwrites its bytes. Copy those that you keep.
 *
 * A handler may run the event loop itself (deasync does). Then the rest of its batch comes first, and what is received
 * meanwhile in batches of their own; each packet comes once and in order, and the borrowed packet stays as it is. Their
 * memory is shared (SharedArrayBuffer), so nobody can transfer it away.
 */
import type { Buffer } from 'node:buffer'
import process from 'node:process'
import { checkInstance, checkObject } from './argument.ts'
import { type NativeHub, native, unwrap } from './binding.ts'
import { type BroadcastFailure, Broadcasts, type BroadcastWord, checkBroadcast } from './broadcasts.ts'
import { constants } from './constants.ts'
import { DeferredPackets } from './deferred-packets.ts'
import { type ConnectionHandler, type PacketHandler, type PacketTaker, type Refusal, throwLater } from './handlers.ts'
import { EVENT_INTS, makeHubArrays, outgoingFdsOf } from './hub-arrays.ts'
import { CONNECTION, END, HubEvents, PACKET, WRITABLE } from './hub-events.ts'
import { HubGroup } from './hub-group.ts'
import { HubListener, type HubParts, HubSocket } from './hub-socket.ts'
import { inspected, introduce, keepFromCloning } from './introduction.ts'
import { OwnedFd } from './owned-fd.ts'
import { PacketRecord } from './received-packet.ts'
import { type AttachOptions, type ListenOptions, Slots } from './slots.ts'

const { MSG_DONTWAIT } = constants

// Places in the record of a batch: `Batch` in native/hub/hub.h.
const FIRST = 0
const COUNT = 1
const MAY_DEFER = 2
const TURN = 3
const SECONDS = 4
const NANOSECONDS = 5

/**
 * All packet sockets of this thread, which it receives together in batches. The head of this file explains batches, and
 * how long received bytes are valid.
 */
export class Hub {
  static #current: Hub | undefined

  /** The hub of this thread, made on first use. It lives as long as the thread. */
  static current(): Hub {
    Hub.#current ??= new Hub()
    return Hub.#current
  }

  /** The buffer for sending: write a packet here, then call `HubSocket.send`. You can reuse it when that returns. */
  readonly outgoing: Buffer

  /** The number of batches so far, including the one that is being handled. */
  batch = 0
  /** The number of the event loop's turn in which the last batch came. Batches of one turn have the same number. */
  turn = 0
  /**
   * When the batch was handed over, in milliseconds of the clock of `process.hrtime()`, while its first event is handled.
   * 0 after that.
   */
  batchStartMs = 0

  readonly #arena: Buffer
  readonly #events: HubEvents
  readonly #batch: Int32Array
  readonly #slots: Slots
  readonly #deferred: DeferredPackets
  readonly #broadcasts: Broadcasts
  readonly #native: NativeHub
  readonly #parts: HubParts
  #refs = 0
  #groups = 1 // group 0 is never closed: those who joined none are in it
  readonly #freeGroups: number[] = []
  /** Where the next event to be told is. */
  #next = 0
  /** How many handlers run the event loop inside each other, and the packet of each. */
  #depth = 0
  readonly #packets: PacketRecord[] = []
  /** The events of the batch. Native code drops them only when the promises of the batch have run, too. */
  #isAllTold = true

  private constructor() {
    const arrays = makeHubArrays()
    this.outgoing = arrays.outgoing
    this.#arena = arrays.arena
    this.#events = new HubEvents(arrays)
    this.#batch = arrays.batch
    this.#native = unwrap(
      'epoll_create1',
      native.hubCreate(() => this.#dispatch(), arrays),
    )
    this.#slots = new Slots(this.#native)
    this.#deferred = new DeferredPackets(this.#native, this.#slots, arrays)
    this.#broadcasts = new Broadcasts(this.#native, arrays)
    this.#parts = {
      native: this.#native,
      slots: this.#slots,
      deferred: this.#deferred,
      outgoingFds: outgoingFdsOf(arrays),
      takeIn: (slot, taker, limit) => this.#takeIn(slot, taker, limit),
    }
    keepFromCloning(this)
    process.once('exit', () => this.flush()) // a handler may end the process before the batch is over
  }

  /** What console.log shows of it: one line. */
  [inspected](): string {
    return introduce(this, { references: this.#refs })
  }

  /**
   * Takes over a connected packet socket: the HubSocket owns the descriptor, also if this throws. Do not change
   * SO_PASSCRED while the socket is in the hub.
   */
  attach(fd: OwnedFd, handler: PacketHandler, options: AttachOptions): HubSocket {
    checkOwner(fd)
    checkObject('handler', handler)
    checkObject('options', options)
    return new HubSocket(this.#parts, this.#slots.addSocket(fd, handler, options), handler)
  }

  /** Takes over a listening socket: the HubListener owns the descriptor, also if this throws. */
  listen(fd: OwnedFd, handler: ConnectionHandler, options: ListenOptions = {}): HubListener {
    checkOwner(fd)
    checkObject('handler', handler)
    checkObject('options', options)
    return new HubListener(this.#parts, this.#slots.addListener(fd, handler, options), handler)
  }

  /** A new group, which is open, for sockets to join. You own it until `release()`. */
  makeGroup(): HubGroup {
    const number = this.#freeGroups.pop() ?? this.#groups++
    return new HubGroup(this.#native, number, () => this.#freeGroups.push(number))
  }

  /**
   * How many milliseconds the last batch took, including the promises and ticks that run right after its handlers (in
   * Node.js; Bun and Deno run them later).
   */
  lastBatchMs(): number {
    return this.#native.batchTime() / 1000
  }

  /** Keeps the process alive until `unref()` was called as often as `ref()`. A new hub does not keep it alive. */
  ref(): void {
    this.#refs += 1
    if (this.#refs === 1) this.#native.ref(1)
  }

  /** Undoes one `ref()`. */
  unref(): void {
    this.#refs -= 1
    if (this.#refs === 0) this.#native.ref(0)
  }

  /**
   * Sends the first `length` bytes of `outgoing` as one packet to each socket, in one native call. `word` is written
   * into the packet for each socket. It never blocks.
   * @throws TypeError (ERR_INVALID_ARG_TYPE) if one is not a HubSocket; RangeError (ERR_OUT_OF_RANGE) if there are
   *   fewer words than sockets. Then nothing is sent
   * @param onFailure called for each socket that did not take the packet, with its index and a negative errno
   */
  broadcast(
    sockets: readonly HubSocket[],
    length: number,
    word?: BroadcastWord,
    onFailure: BroadcastFailure = () => undefined,
  ): void {
    checkBroadcast(sockets, word, onFailure)
    this.flush()
    this.#broadcasts.send(sockets, length, word, onFailure)
  }

  /** @internal Sends what `sendLater()` has left. */
  flush(): void {
    this.#deferred.flush()
  }

  #takeIn(slot: number, taker: PacketTaker, limit: number): void {
    const packet = new PacketRecord(this.#arena)
    for (let taken = 0; taken < limit; taken++) {
      const number = this.#native.takeIn(slot, this.#isAllTold ? -1 : this.#next / EVENT_INTS)
      if (number < 0) return
      const at = number * EVENT_INTS
      const type = this.#events.type(at)
      packet.fds = this.#events.takeFds(at)
      this.#events.describe(at, packet)
      this.#events.forget(at)
      if (type === END) taker.onEnd(this.#events.errno(at))
      else taker.onPacket(packet)
    }
  }

  /**
   * A handler may run the event loop itself. Then this function is called inside itself, first delivers the rest of the
   * outer batch, and leaves nothing to do for the outer call.
   */
  #dispatch(): void {
    const events = this.#events
    const batch = this.#batch
    const first = (batch[FIRST] as number) * EVENT_INTS
    const end = first + (batch[COUNT] as number) * EVENT_INTS
    this.#packets[this.#depth] ??= new PacketRecord(this.#arena)
    this.#depth += 1
    this.batch += 1
    this.turn = batch[TURN] as number
    this.batchStartMs = (batch[SECONDS] as number) * 1000 + (batch[NANOSECONDS] as number) / 1e6
    this.#deferred.mayDefer = batch[MAY_DEFER] as number
    this.#isAllTold = false
    while (this.#next < end) {
      const at = this.#next
      this.#next = at + EVENT_INTS
      const isRefused = events.type(at) === CONNECTION && this.#refuses(at)
      if (!isRefused) this.#tell(at, end)
      this.batchStartMs = 0
    }
    this.#next = first
    this.#depth -= 1
    this.#isAllTold = true
    this.#deferred.endBatch()
  }

  /** An error in a handler must not lose the rest of the batch and its descriptors. */
  #tell(at: number, end: number): void {
    const fds = this.#events.takeFds(at)
    try {
      this.#deliver(at, fds, end)
    } catch (error) {
      for (const fd of fds) fd.close()
      throwLater(error)
    }
  }

  #deliver(at: number, fds: readonly OwnedFd[], end: number): void {
    const events = this.#events
    const type = events.type(at)
    if (type >= CONNECTION) {
      this.#deliverConnection(at, fds)
      return
    }
    const handler = this.#slots.socket(events.slot(at))
    if (handler === undefined) {
      // Closed by an earlier event of this batch: nobody is left to take the packet.
      for (const fd of fds) fd.close()
    } else if (type === PACKET) {
      const packet = this.#packets[this.#depth - 1] as PacketRecord
      events.describe(at, packet)
      packet.fds = fds
      packet.isFollowed = this.#deferred.mayDefer > 1 && events.isFollowed(at, end)
      handler.onPacket(packet)
      packet.clear()
    } else if (type === WRITABLE) handler.onWritable()
    else if (type === END) handler.onEnd(events.errno(at))
  }

  #deliverConnection(at: number, fds: readonly OwnedFd[]): void {
    const handler = this.#slots.listener(this.#events.slot(at))
    const [fd] = fds
    if (handler === undefined) fd?.close()
    else if (fd !== undefined) handler.onConnection(fd, this.#events.credentials(at))
    else handler.onAcceptFailed(this.#events.errno(at))
  }

  /** Whether this connection was not wanted: then it is gone, and was never an object. */
  #refuses(at: number): boolean {
    const handler = this.#slots.listener(this.#events.slot(at))
    if (handler?.refuse === undefined || !this.#events.hasCredentials(at)) return false
    const uid = this.#events.uid(at)
    let refusal: Refusal | null
    try {
      refusal = handler.refuse(uid)
    } catch (error) {
      throwLater(error)
      return false
    }
    if (refusal === null) return false
    const { farewell, milliseconds } = refusal
    const fd = this.#events.firstFd(at)
    native.sendmsg(fd, [], farewell, MSG_DONTWAIT, '') // whoever has gone already hears nothing: EPIPE
    native.close(fd)
    this.outgoing.set(farewell)
    this.#native.refuse(this.#events.slot(at), uid | 0, Math.round(milliseconds * 1000), farewell.length)
    return true
  }
}

function checkOwner(fd: OwnedFd): void {
  checkInstance('fd', fd, OwnedFd)
}
