/**
 * The two calls with which a command finds what it reads in the usual case, without the library's binders and parcels,
 * whose loading takes longer than the read. It knows only these two calls of docs/protocol.md. If anything else happens
 * it declines; then the command uses the library, which reports errors.
 */
import { constants, FdWatcher, type OwnedFd, recvmsg, sendmsg } from 'memfd-native'
import {
  HEADER_BYTES,
  KIND_HELLO,
  KIND_REPLY,
  KIND_TRANSACTION,
  PROTOCOL_VERSION,
  readHeader,
  readObjects,
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
/** No answer that is expected here is as long. */
const MAX_ANSWER_BYTES = 1024
/** Of the one call on a channel. */
const CALL_ID = 1
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

/**
 * Asks a service for a descriptor, and makes something of it, which does not keep it.
 * @returns null: declined. Nothing is left open then either. Never throws
 */
export async function tryAsk<T>(
  { place, name, timeoutMs }: QuickAddress,
  question: Question,
  use: (fd: OwnedFd) => T | null,
): Promise<T | null> {
  const attempt: Attempt = { opened: [], end: now() + timeoutMs }
  try {
    return isServiceName(name) ? use(await reach(place, name, { question, attempt })) : null
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

async function reach(
  place: RegistryPlace,
  name: string,
  { question, attempt }: { question: Question; attempt: Attempt },
): Promise<OwnedFd> {
  const options = { timeoutMs: remainingMs(attempt, CONNECT_TIMEOUT_MS) }
  const { fd: registry } = await retryOverloaded(() => openRegistry(place), options)
  attempt.opened.push(registry)
  return ask(await ask(registry, getService(name), attempt), question, attempt)
}

function remainingMs({ end }: Attempt, maxMs: number): number {
  return Math.max(0, Math.min(maxMs, end - now()))
}

/** Found, at another process: accepts descriptors or not, its pid and uid, and the end of a new channel. */
function getService(name: string): Question {
  return { code: 1, token: 'memsvc.IServiceManager', args: [name], answer: [0, 2, 'any', 'any', 'any'] }
}

/** The first call on a new channel. @returns the descriptor of its answer. @throws the answer is another one, or late */
async function ask(channel: OwnedFd, question: Question, attempt: Attempt): Promise<OwnedFd> {
  // Never blocking, because the received channel has not been checked.
  sendmsg(channel, message(KIND_HELLO, 0, PROTOCOL_VERSION), [], MSG_DONTWAIT)
  sendmsg(channel, message(KIND_TRANSACTION, CALL_ID, question.code, request(question)), [], MSG_DONTWAIT)
  await untilReadable(channel, remainingMs(attempt, ANSWER_TIMEOUT_MS))
  const { data, fds, flags } = recvmsg(channel, MAX_ANSWER_BYTES, 1, MSG_DONTWAIT)
  attempt.opened.push(...fds)
  const [fd] = fds
  const header = readHeader(data, 0, data.length)
  const objects = readObjects(data, HEADER_BYTES, header, fds.length)
  const isExpected =
    flags === 0 &&
    header.kind === KIND_REPLY &&
    header.id === CALL_ID &&
    header.descriptorCount === 1 &&
    HEADER_BYTES + header.bodyBytesInPacket === data.length &&
    objects.length === 1 &&
    objects[0]?.offset === question.answer.length * 4 &&
    question.answer.every((word, i) => word === 'any' || word === data.readInt32LE(HEADER_BYTES + 4 * i))
  if (!isExpected || fd === undefined) throw new Error('another answer')
  return fd
}

/** Without Buffer's methods: Node would have to compile them first. */
function message(kind: number, id: number, code: number, body: readonly number[] = []): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + 4 * body.length)
  const dataSize = 4 * body.length
  writeHeader(bytes, 0, { ...EMPTY_HEADER, kind, id, code, dataSize, bodyBytesInPacket: dataSize })
  new Int32Array(bytes.buffer).set(body, HEADER_BYTES / 4)
  return bytes
}

/** The interface token, and what follows it, as the int32s of a parcel. */
function request({ token, args }: Question): number[] {
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
