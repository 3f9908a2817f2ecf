/**
 * Parcels of docs/protocol.md, section 4, by hand. With `wire.ts` and `raw-peer.ts` of @memsvc/shared/test-support this is the
 * oracle of the protocol: it was written from the document, and nothing in it comes from the code under test.
 */
import { type Packet, type RawPeer, wire } from '@memsvc/shared/test-support'
import type { OwnedFd } from 'memfd-native'

export const REGISTRY = 'memsvc.IServiceManager'
export const MEMORY = 'shy.luo.ashmem.IMemoryService'
export const WATCH = 'memsvc.IWatch'
export const WATCHER = 'memsvc.IWatcher'
export const STORE = 'memsvc.IStore'

const NULL_TERMINATED = 1
const OBJECT_BYTES = 24

export function ints(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [i, value] of values.entries()) bytes.writeInt32LE(value, 4 * i)
  return bytes
}

export function string16(text: string): Buffer {
  const bytes = Buffer.alloc(Math.ceil(((text.length + NULL_TERMINATED) * 2) / 4) * 4)
  bytes.write(text, 'utf16le')
  return Buffer.concat([ints(text.length), bytes])
}

/** What every request begins with. */
export function token(name: string): Buffer {
  return Buffer.concat([ints(0, -1, 0x53595354), string16(name)])
}

/** A binder of this side's. */
export function ownBinder(number: number): Buffer {
  return wire.body(OBJECT_BYTES, [{ offset: 0, type: wire.SENDERS_BINDER, number }]).subarray(0, OBJECT_BYTES)
}

export function descriptor(number: number): Buffer {
  return wire.body(OBJECT_BYTES, [{ offset: 0, type: wire.DESCRIPTOR, number }]).subarray(0, OBJECT_BYTES)
}

/** A message whose parcel is these parts; those of 24 bytes that are `objects` are in its table. */
export function parcelMessage(fields: wire.Fields, parts: readonly Buffer[], objects: readonly Buffer[] = []): Buffer {
  const table: number[] = []
  let at = 0
  for (const part of parts) {
    if (objects.includes(part)) table.push(at)
    at += part.length
  }
  return wire.message({ ...fields, objectCount: table.length }, Buffer.concat([...parts, ints(...table)]))
}

/** A channel of the oracle's: its own calls by id, the calls of the peer in order. */
export class RawChannel {
  readonly #peer: RawPeer
  #lastId = 0
  /** Of the peer, since the last `nextCall`. */
  readonly #calls: wire.Message[] = []

  constructor(peer: RawPeer) {
    this.#peer = peer
    peer.sendHello()
  }

  /** Calls object 0. @returns the answer, and the descriptors that came with it, which are the caller's */
  async call(
    code: number,
    parts: readonly Buffer[],
    objects: readonly Buffer[] = [],
  ): Promise<[wire.Message, OwnedFd[]]> {
    this.#lastId += 1
    this.#peer.send(parcelMessage({ kind: wire.TRANSACTION, id: this.#lastId, code }, parts, objects))
    for (;;) {
      const { messages, fds } = await this.#receive()
      const answer = messages.find(({ kind }) => kind === wire.REPLY || kind === wire.FAILURE)
      this.#calls.push(...messages.filter(({ kind }) => kind === wire.TRANSACTION))
      if (answer !== undefined) return [answer, fds]
    }
  }

  callOneway(code: number, parts: readonly Buffer[], objects: readonly Buffer[] = []): void {
    this.#peer.send(parcelMessage({ kind: wire.TRANSACTION, flags: wire.ONEWAY, code }, parts, objects))
  }

  /** The next call of the peer. */
  async nextCall(): Promise<wire.Message> {
    for (;;) {
      const call = this.#calls.shift()
      if (call !== undefined) return call
      const { messages } = await this.#receive()
      this.#calls.push(...messages.filter(({ kind }) => kind === wire.TRANSACTION))
    }
  }

  close(): void {
    this.#peer.close()
  }

  async #receive(): Promise<Packet> {
    const packet = await this.#peer.receive()
    if (packet === null) throw new Error('the channel has ended')
    return packet
  }
}
