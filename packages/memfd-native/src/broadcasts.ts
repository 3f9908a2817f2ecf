/** Sends one packet to many sockets: one native call for each thousand of them. */
import { argumentError, checkFunction, checkList } from './argument.ts'
import { type NativeHub, unwrap } from './binding.ts'
import { type HubArrays, MAX_TARGETS, TARGET_INTS } from './hub-arrays.ts'
import { HubSocket } from './hub-socket.ts'

// Places in the record of one target: `Target` in native/hub/outlet.h.
const SLOT = 0
const WORD = 1
const RESULT = 2

/** A number in a broadcast packet that differs for each socket. */
export interface BroadcastWord {
  /** Its position, in bytes from the beginning of the packet: a multiple of 4. */
  readonly at: number
  /** An unsigned 32-bit integer for each socket, written little-endian. */
  readonly values: readonly number[]
}

/** Called for each socket that did not take the packet, with its index and a negative errno. */
export type BroadcastFailure = (index: number, errno: number) => void

/** What `Hub.broadcast` is given. @throws as that */
export function checkBroadcast(
  sockets: readonly HubSocket[],
  word: BroadcastWord | undefined,
  onFailure: BroadcastFailure,
): void {
  checkList('sockets', sockets)
  checkFunction('onFailure', onFailure)
  for (let i = 0; i < sockets.length; i++) HubSocket.slotOf(sockets[i])
  const values = word?.values
  if (values !== undefined) checkList('values', values)
  if (values !== undefined && values.length < sockets.length) throw tooFewWords()
}

/** The broadcasts of one hub. */
export class Broadcasts {
  readonly #native: NativeHub
  readonly #targets: Int32Array

  constructor(native: NativeHub, { targets }: HubArrays) {
    this.#native = native
    this.#targets = targets
  }

  /** Sends the first `length` bytes of the hub's `outgoing`. All of it has been checked. */
  send(
    sockets: readonly HubSocket[],
    length: number,
    word: BroadcastWord | undefined,
    onFailure: BroadcastFailure,
  ): void {
    for (let first = 0; first < sockets.length; first += MAX_TARGETS) {
      const count = Math.min(sockets.length - first, MAX_TARGETS)
      for (let i = 0; i < count; i++) {
        this.#targets[i * TARGET_INTS + SLOT] = HubSocket.slotOf(sockets[first + i])
        this.#targets[i * TARGET_INTS + WORD] = word?.values[first + i] ?? 0
      }
      unwrap('sendmsg', this.#native.broadcast(count, length, word?.at ?? -1))
      // Read before any handler is called: a handler may send to others, and the next call overwrites the results.
      for (const [i, errno] of this.#failures(count)) onFailure(first + i, errno)
    }
  }

  #failures(count: number): [index: number, errno: number][] {
    const failures: [number, number][] = []
    for (let i = 0; i < count; i++) {
      const result = this.#targets[i * TARGET_INTS + RESULT] as number
      if (result < 0) failures.push([i, result])
    }
    return failures
  }
}

function tooFewWords(): Error {
  return argumentError(RangeError, 'ERR_OUT_OF_RANGE', 'words must have an element for each socket')
}
