/**
 * The calls with which a command finds what it reads in the usual case, without the library's binders and parcels,
 * whose loading takes longer than the read. It knows only a few calls of docs/protocol.md. If anything else happens
 * it declines; then the command uses the library, which reports errors.
 */
import type { Buffer } from 'node:buffer'
import { constants, FdWatcher, type OwnedFd, recvmsg, sendmsg } from 'memfd-native'
import {
  bodySize,
  HEADER_BYTES,
  KIND_HELLO,
  KIND_REPLY,
  KIND_TRANSACTION,
  PROTOCOL_VERSION,
  readHeader,
  readObjects,
  type WireObject,
  writeHeader,
} from '../channel/message.ts'
import { now } from '../util/timers.ts'
import type { RegistryPlace } from './registry-path.ts'
import { openRegistry } from './registry-socket.ts'
import { retryOverloaded } from './retry.ts'
import { isServiceName } from './service-name.ts'

const { MSG_DONTWAIT } = constants
/** If a daemon has not answered by then, the library takes over, which waits longer. */
const ANSWER_TIMEOUT_MS = 1000
/** A registry that turns connections away is as slow for everybody. */
const CONNECT_TIMEOUT_MS = 4000
/** No answer with a descriptor that is expected here is as long. */
const MAX_ANSWER_BYTES = 1024
const NULL_BINDER = [0, 0, 0, 0, 0, 0]
const EMPTY_HEADER = {
  id: 0,
  object: 0,
  code: 0,
  oneway: false,
  dataSize: 0,
  objectCount: 0,
  bodyBytesInPacket: 0,
  descriptorCount: 0,
}

/** A call of a service, and the words that its answer begins with, up to the descriptor that it brings. */
export interface Question {
  readonly code: number
  readonly token: string
  /** A string, or a binder that is null. */
  readonly args: readonly (string | null)[]
  readonly answer: readonly (number | 'any')[]
}

/** Which registry and service to ask, and how long to wait, in milliseconds. */
export interface QuickAddress {
  readonly place: RegistryPlace
  readonly name: string
  readonly timeoutMs: number
}

/** A call of an object, with the int32s of its parcel. */
export interface QuickCall {
  readonly object: number
  readonly code: number
  readonly words: readonly number[]
}

/** An answer that came whole in one packet. */
export interface QuickAnswer {
  /** The packet, in which the parcel begins at `HEADER_BYTES`. */
  readonly packet: Buffer
  readonly dataSize: number
  readonly objects: readonly WireObject[]
  /** The only descriptor that may come. It is closed with the attempt. */
  readonly fd: OwnedFd | undefined
}

/**
 * Asks a service for a descriptor, and makes something of it, which does not keep it.
 * @returns null: declined. Nothing is left open then either. Never throws
 */
export function tryAsk<T>(
  address: QuickAddress,
  question: Question,
  use: (fd: OwnedFd) => T | null,
): Promise<T | null> {
  return tryTalk(address, async (channel) => use(await channel.ask(question)))
}

/**
 * Opens a channel to a service, and closes it after the talk.
 * @returns null: declined. Nothing is left open then either. Never throws
 */
export async function tryTalk<T>(
  { place, name, timeoutMs }: QuickAddress,
  talk: (channel: QuickChannel) => Promise<T | null>,
): Promise<T | null> {
  const attempt: Attempt = { opened: [], end: now() + timeoutMs }
  try {
    return isServiceName(name) ? await talk(await reach(place, name, attempt)) : null
  } catch {
    return null
  } finally {
    for (const fd of attempt.opened) fd.close()
  }
}

interface Attempt {
  /** Descriptors that are closed at the end in any case. */
  readonly opened: OwnedFd[]
  /** By `now()`. */
  readonly end: number
}

async function reach(place: RegistryPlace, name: string, attempt: Attempt): Promise<QuickChannel> {
  const options = { timeoutMs: remainingMs(attempt, CONNECT_TIMEOUT_MS) }
  const { fd: registry } = await retryOverloaded(() => openRegistry(place), options)
  attempt.opened.push(registry)
  return new QuickChannel(await new QuickChannel(registry, attempt).ask(getService(name)), attempt)
}

function remainingMs({ end }: Attempt, maxMs: number): number {
  return Math.max(0, Math.min(maxMs, end - now()))
}

/** Found, at another process: accepts descriptors or not, its pid and uid, and the end of a new channel. */
function getService(name: string): Question {
  return { code: 1, token: 'memsvc.IServiceManager', args: [name], answer: [0, 2, 'any', 'any', 'any'] }
}

/** A channel with one call at a time. */
export class QuickChannel {
  readonly #fd: OwnedFd
  readonly #attempt: Attempt
  #calls = 0

  constructor(fd: OwnedFd, attempt: Attempt) {
    this.#fd = fd
    this.#attempt = attempt
  }

  /** Calls object 0. @returns the descriptor of the answer. @throws the answer is another one, or late */
  async ask({ code, token, args, answer }: Question): Promise<OwnedFd> {
    const { packet, objects, fd } = await this.call({ object: 0, code, words: request(token, args) })
    const isExpected =
      objects.length === 1 &&
      objects[0]?.offset === answer.length * 4 &&
      answer.every((word, i) => word === 'any' || word === packet.readInt32LE(HEADER_BYTES + 4 * i))
    if (!isExpected || fd === undefined) throw otherAnswer()
    return fd
  }

  /** @throws the answer is none, came in parts, or is late */
  async call({ object, code, words }: QuickCall, maxBytes = MAX_ANSWER_BYTES): Promise<QuickAnswer> {
    // Never blocking, because the received channel has not been checked.
    if (this.#calls === 0) sendmsg(this.#fd, message({ kind: KIND_HELLO, code: PROTOCOL_VERSION }), [], MSG_DONTWAIT)
    this.#calls += 1
    const id = this.#calls
    sendmsg(this.#fd, message({ kind: KIND_TRANSACTION, id, object, code }, words), [], MSG_DONTWAIT)
    await untilReadable(this.#fd, remainingMs(this.#attempt, ANSWER_TIMEOUT_MS))
    const { data: packet, fds, flags } = recvmsg(this.#fd, maxBytes, 1, MSG_DONTWAIT)
    this.#attempt.opened.push(...fds)
    const header = readHeader(packet, 0, packet.length)
    const { kind, dataSize, descriptorCount, bodyBytesInPacket } = header
    const objects = readObjects(packet, HEADER_BYTES, header, fds.length)
    const isWhole = flags === 0 && descriptorCount === fds.length && HEADER_BYTES + bodyBytesInPacket === packet.length
    if (!isWhole || kind !== KIND_REPLY || header.id !== id || bodyBytesInPacket !== bodySize(header))
      throw otherAnswer()
    return { packet, dataSize, objects, fd: fds[0] }
  }
}

function otherAnswer(): Error {
  return new Error('another answer')
}

/** Without Buffer's methods: Node would have to compile them first. */
function message(header: Partial<typeof EMPTY_HEADER> & { kind: number }, body: readonly number[] = []): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + 4 * body.length)
  const dataSize = 4 * body.length
  writeHeader(bytes, 0, { ...EMPTY_HEADER, ...header, dataSize, bodyBytesInPacket: dataSize })
  new Int32Array(bytes.buffer).set(body, HEADER_BYTES / 4)
  return bytes
}

/** The interface token, and what follows it, as the int32s of a parcel. */
export function request(token: string, args: Question['args']): number[] {
  const words = [0, -1, 0x53595354]
  for (const arg of [token, ...args]) words.push(...(arg === null ? NULL_BINDER : string16(arg)))
  return words
}

/** Its length in units, the units, a zero unit, zeros up to a multiple of 4. */
function string16(text: string): number[] {
  const words = [text.length]
  // Beyond its end there is NaN, of which | makes 0.
  for (let i = 0; i <= text.length; i += 2) words.push(text.charCodeAt(i) | (text.charCodeAt(i + 1) << 16))
  return words
}

function untilReadable(fd: OwnedFd, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const onReadable = () => {
      watcher.close()
      resolve()
    }
    const watcher = new FdWatcher(fd, 'readable', onReadable, { inNoContext: true }) // contexts take long to load
    after(timeoutMs, () => {
      watcher.close()
      reject(new Error('no answer'))
    })
  })
}

/** By V8: Node's timers take most of a millisecond when they are first used. This one keeps nothing alive. */
function after(milliseconds: number, act: () => void): void {
  const { value } = Atomics.waitAsync(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
  if (typeof value === 'string') act()
  else void value.then(act)
}
