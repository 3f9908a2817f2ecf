/**
 * The hub: all packet sockets (SOCK_SEQPACKET) of this thread, received in batches: one callback for all that are ready.
 *
 * For protocols with many connections; a single socket is simpler with `recvmsg` and an `FdWatcher`. The trap: the bytes
 * given to `onPacket` are borrowed and overwritten by the next batch, so whoever keeps some copies them.
 *
 * A handler may run the event loop itself (deasync does). Then the rest of its batch comes first, and what is received
 * meanwhile in batches of their own; each packet comes once and in order, and the borrowed bytes stay as they are. Their
 * memory is shared (SharedArrayBuffer), so nobody can transfer it away.
 */
import { type Credentials, type NativeHub, native, unwrap } from './binding.ts'
import { HubGroup } from './hub-group.ts'
import { type ConnectionHandler, HubListener, HubSocket, MAX_PACKET_FDS, type PacketHandler } from './hub-socket.ts'
import { type OwnedFd, ownResult } from './owned-fd.ts'

/** The longest packet, in bytes. One that is longer arrives cut, with MSG_TRUNC. */
export const MAX_PACKET_BYTES = 65536

const EVENT_INTS = 10
const MAX_EVENTS = 1024
const ARENA_BYTES = 1 << 20
const MAX_BATCH_FDS = 2048
const PACKET = 1
const END = 2
const WRITABLE = 3
const CONNECTION = 4
const MSG_DONTWAIT = 0x40

/** Sockets that one native call sends to, and what there is of each: slot, word, result. */
const MAX_TARGETS = 1024
const TARGET_INTS = 3

/** Packets that one call sends at the end of a batch, how long they may be, and what there is of each: slot, length, result. */
const MAX_DEFERRED = 64
const CELL_BYTES = 512
const CELL_WORDS = CELL_BYTES / 4
const DEFERRED_INTS = 3

const NO_FDS: readonly OwnedFd[] = Object.freeze([])

/** Of a broadcast: a word of the packet that is another one for each socket. */
export interface BroadcastWord {
  /** Where it is, in bytes from the beginning of the packet: a multiple of 4. */
  readonly at: number
  /** An unsigned 32-bit integer for each socket, written little-endian. */
  readonly values: readonly number[]
}

/** A packet that was to be sent at the end of the batch. */
interface Unsent {
  /** Nobody, when its socket has been closed. */
  readonly handler: PacketHandler | undefined
  readonly bytes: Buffer
  readonly errno: number
}

/** All packet sockets of this thread. Borrowed bytes and batches: see the head of this file. */
export class Hub {
  static #current: Hub | undefined

  /** The hub of this thread, made on first use. It lives as long as the thread. */
  static current(): Hub {
    Hub.#current ??= new Hub()
    return Hub.#current
  }

  /** Bytes to send: a packet is written here, then sent by `HubSocket.send`. Free again as soon as that returns. */
  readonly outgoing: Buffer = lastingBytes(MAX_PACKET_BYTES)

  /** How many batches have been handed over, the one that is being told included. */
  batch = 0
  /** The turn of the event loop of the last batch: another number in each. Batches of one turn have the same. */
  turn = 0

  readonly #arena = lastingBytes(ARENA_BYTES)
  readonly #events = lastingInts(MAX_EVENTS * EVENT_INTS)
  readonly #fds = lastingInts(MAX_BATCH_FDS + MAX_PACKET_FDS)
  readonly #outgoingFds = this.#fds.subarray(MAX_BATCH_FDS)
  readonly #targets = lastingInts(MAX_TARGETS * TARGET_INTS)
  readonly #cells = lastingBytes(MAX_DEFERRED * CELL_BYTES)
  readonly #deferred = lastingInts(MAX_DEFERRED * DEFERRED_INTS)
  readonly #cellWords = new Int32Array(this.#cells.buffer)
  readonly #outgoingWords = new Int32Array(this.outgoing.buffer)
  /** By slot: the handlers of sockets, and of listeners. */
  readonly #sockets: (PacketHandler | undefined)[] = []
  readonly #listeners: (ConnectionHandler | undefined)[] = []
  readonly #native: NativeHub
  #refs = 0
  #groups = 1 // group 0 is never closed: those who joined none are in it
  readonly #freeGroups: number[] = []
  /** Where the next event to be told is. */
  #next = 0
  /** How many packets may be deferred before they are sent: 0 outside of a batch. */
  #mayDefer = 0
  #deferredCount = 0
  #unsent: Unsent[] = []

  private constructor() {
    this.#native = native.hubCreate((first, count, mayDefer, turn) => this.#dispatch(first, count, mayDefer, turn), {
      arena: this.#arena,
      events: this.#events,
      fds: this.#fds,
      outgoing: this.outgoing,
      targets: this.#targets,
      cells: this.#cells,
      deferred: this.#deferred,
    })
    process.once('exit', () => this.flush()) // a handler may end the process before the batch is over
  }

  /**
   * Takes a connected packet socket over: the descriptor is owned by the HubSocket, also if this throws. SO_PASSCRED is
   * as it is now, for as long as the socket is here.
   */
  attach(fd: OwnedFd, handler: PacketHandler, options: { takesFds: boolean }): HubSocket {
    const slot = this.#add(fd, false, options.takesFds)
    this.#sockets[slot] = handler
    return new HubSocket(this, this.#native, slot, handler, this.#outgoingFds)
  }

  /** Takes a listening socket over: the descriptor is owned by the HubListener, also if this throws. */
  listen(fd: OwnedFd, handler: ConnectionHandler): HubListener {
    const slot = this.#add(fd, true, false)
    this.#listeners[slot] = handler
    return new HubListener(this, this.#native, slot, handler)
  }

  /** A group for sockets to join, open. It belongs to the caller, until `release()`. */
  makeGroup(): HubGroup {
    const number = this.#freeGroups.pop() ?? this.#groups++
    return new HubGroup(this.#native, number, () => this.#freeGroups.push(number))
  }

  /** Milliseconds that the last batch took, with the promises and ticks that its handlers left to run right after it. */
  lastBatchMs(): number {
    return this.#native.batchTime() / 1000
  }

  /** Keeps the process alive until as many `unref()` have come. A new hub does not. */
  ref(): void {
    this.#refs += 1
    if (this.#refs === 1) this.#native.ref(1)
  }

  /** Takes one `ref()` back. */
  unref(): void {
    this.#refs -= 1
    if (this.#refs === 0) this.#native.ref(0)
  }

  /**
   * Sends the first `length` bytes of `outgoing` as one packet to each socket, by one call into native code; `word` is
   * written into it for each. Never blocking, as `HubSocket.send`.
   * @param onFailure told of each socket, by its index, that did not take it, with the negative errno
   */
  broadcast(
    sockets: readonly HubSocket[],
    length: number,
    word?: BroadcastWord,
    onFailure: (index: number, errno: number) => void = () => undefined,
  ): void {
    this.flush()
    const targets = this.#targets
    for (let first = 0; first < sockets.length; first += MAX_TARGETS) {
      const count = Math.min(sockets.length - first, MAX_TARGETS)
      for (let i = 0; i < count; i++) {
        targets[i * TARGET_INTS] = (sockets[first + i] as HubSocket).slot
        targets[i * TARGET_INTS + 1] = word?.values[first + i] ?? 0
      }
      unwrap('sendmsg', this.#native.broadcast(count, length, word?.at ?? -1))
      // Before anybody is told: he may send to others, and the results are in memory that the next call overwrites.
      const failures: [number, number][] = []
      for (let i = 0; i < count; i++) {
        const result = targets[i * TARGET_INTS + 2] as number
        if (result < 0) failures.push([first + i, result])
      }
      for (const [index, errno] of failures) onFailure(index, errno)
    }
  }

  /** @internal By HubSocket. False: the packet in `outgoing` is to be sent now. */
  defer(slot: number, length: number): boolean {
    if (this.#mayDefer < 2 || length > CELL_BYTES) return false
    if (this.#deferredCount === this.#mayDefer) this.flush()
    const first = this.#deferredCount * CELL_WORDS
    const words = (length + 3) >>> 2
    for (let i = 0; i < words; i++) this.#cellWords[first + i] = this.#outgoingWords[i] as number
    const at = this.#deferredCount * DEFERRED_INTS
    this.#deferred[at] = slot
    this.#deferred[at + 1] = length
    this.#deferredCount += 1
    return true
  }

  /** @internal Sends what was deferred. Nobody is told here what did not go: a packet may just lie in `outgoing`. */
  flush(): void {
    if (this.#deferredCount > 0) this.#flush(false)
  }

  /** @param isLast of this batch: a socket that did not take a packet is asked again from here on */
  #flush(isLast: boolean): void {
    const count = this.#deferredCount
    this.#deferredCount = 0
    if (unwrap('sendmsg', this.#native.flush(count, Number(isLast))) === 0) return
    for (let i = 0; i < count; i++) {
      const at = i * DEFERRED_INTS
      const errno = this.#deferred[at + 2] as number
      if (errno >= 0) continue
      const start = i * CELL_BYTES
      const bytes = Buffer.from(this.#cells.subarray(start, start + (this.#deferred[at + 1] as number)))
      this.#unsent.push({ handler: this.#sockets[this.#deferred[at] as number], bytes, errno })
    }
  }

  #tellUnsent(): void {
    const unsent = this.#unsent.reverse()
    this.#unsent = []
    for (const { handler, bytes, errno } of unsent) {
      try {
        handler?.onUnsent?.(bytes, errno)
      } catch (error) {
        throwLater(error)
      }
    }
  }

  /** @internal By HubSocket and HubListener. */
  remove(slot: number): void {
    this.flush()
    this.#forget(slot)
    this.#native.remove(slot)
  }

  /** @internal By HubSocket. */
  detach(slot: number): OwnedFd {
    this.flush()
    this.#forget(slot)
    return ownResult('fcntl', this.#native.detach(slot))
  }

  #forget(slot: number): void {
    this.#sockets[slot] = undefined
    this.#listeners[slot] = undefined
  }

  #add(fd: OwnedFd, listener: boolean, takesFds: boolean): number {
    return unwrap('epoll_ctl', this.#native.add(fd.release(), Number(listener), Number(takesFds)))
  }

  /**
   * A handler may run the event loop itself: then this is called inside of itself, tells first what is left of the batch
   * outside, and leaves the outer call nothing to do.
   */
  #dispatch(first: number, count: number, mayDefer: number, turn: number): void {
    const events = this.#events
    this.batch += 1
    this.turn = turn
    this.#mayDefer = mayDefer
    const end = (first + count) * EVENT_INTS
    while (this.#next < end) {
      const at = this.#next
      this.#next = at + EVENT_INTS
      if (events[at + 1] === CONNECTION && this.#refuses(at)) continue
      const fds = this.#ownFds(events[at + 5] as number, events[at + 6] as number)
      try {
        this.#deliver(at, fds)
      } catch (error) {
        // A handler's fault must not take the rest of the batch, and its descriptors, with it.
        for (const fd of fds) fd.close()
        throwLater(error)
      }
    }
    this.#next = first * EVENT_INTS
    this.#mayDefer = 0
    if (this.#deferredCount > 0 || this.#unsent.length > 0) this.#flush(true)
    if (this.#unsent.length > 0) this.#tellUnsent()
  }

  #deliver(at: number, fds: readonly OwnedFd[]): void {
    const events = this.#events
    const slot = events[at] as number
    const type = events[at + 1] as number
    if (type >= CONNECTION) {
      this.#deliverConnection(this.#listeners[slot], at, fds)
      return
    }
    const handler = this.#sockets[slot]
    if (handler === undefined) {
      // Closed by an earlier event of this batch: nobody is left to take the packet.
      for (const fd of fds) fd.close()
    } else if (type === PACKET) {
      const start = events[at + 2] as number
      const end = start + (events[at + 3] as number)
      handler.onPacket(this.#arena, start, end, fds, events[at + 4] as number, this.#credentials(at))
    } else if (type === WRITABLE) handler.onWritable()
    else if (type === END) handler.onEnd(events[at + 4] as number)
  }

  #deliverConnection(handler: ConnectionHandler | undefined, at: number, fds: readonly OwnedFd[]): void {
    const [fd] = fds
    if (handler === undefined) fd?.close()
    else if (fd !== undefined) handler.onConnection(fd, this.#credentials(at))
    else handler.onAcceptFailed(this.#events[at + 4] as number)
  }

  /** Whether this connection was not wanted: then it is gone, and was never an object. */
  #refuses(at: number): boolean {
    const events = this.#events
    const handler = this.#listeners[events[at] as number]
    if (handler?.refuse === undefined || (events[at + 7] as number) < 0) return false
    let farewell: Uint8Array | null
    try {
      farewell = handler.refuse((events[at + 8] as number) >>> 0)
    } catch (error) {
      throwLater(error)
      return false
    }
    if (farewell === null) return false
    const fd = this.#fds[events[at + 5] as number] as number
    native.sendmsg(fd, [], farewell, MSG_DONTWAIT) // whoever has gone already hears nothing: EPIPE
    native.close(fd)
    return true
  }

  #ownFds(start: number, count: number): readonly OwnedFd[] {
    if (count === 0) return NO_FDS
    const fds: OwnedFd[] = []
    for (let i = start; i < start + count; i++) fds.push(ownResult('recvmsg', this.#fds[i] as number))
    return fds
  }

  #credentials(at: number): Credentials | null {
    const pid = this.#events[at + 7] as number
    if (pid < 0) return null
    return { pid, uid: (this.#events[at + 8] as number) >>> 0, gid: (this.#events[at + 9] as number) >>> 0 }
  }
}

/**
 * Memory that native code writes to and sends from for the life of the thread. Shared, because that cannot be detached: a
 * packet's bytes lead whoever handles them to the whole buffer, and to transfer it would take it from under native code.
 */
function lastingBytes(length: number): Buffer {
  return Buffer.from(new SharedArrayBuffer(length))
}

function lastingInts(length: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT))
}

/** A handler's fault is nobody else's: it becomes an uncaught exception. */
function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
