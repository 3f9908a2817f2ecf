/** Sends a value in parts: several at a time, each in a packet of its own. */
import { BinderProxy } from '../binder/binder-proxy.ts'
import { sessionOf } from '../binder/session.ts'
import type { IBinder } from '../parcel/ibinder.ts'
import { Parcel } from '../parcel/parcel.ts'
import { lendByteArray, markLeaving } from '../parcel/parcel-objects.ts'
import { errorCode, InvalidArgValueError } from '../util/errors.ts'
import { NotKeptError } from '../util/service-errors.ts'
import type { Encoded } from './json.ts'
import { IStore, type Outcome } from './store-interface.ts'

/** So much of a value fits into one packet of 65,536 bytes with all that goes before it. A multiple of 4: it is sent from where it is. */
const PART_BYTES = 65_408
/** So much surely fits with the longest key. */
export const INLINE_BYTES = 64_000
/** One of this many parts is answered: an answer takes a fifth of the time of a part, and wakes the sender. */
const ANSWERED = 2
/** So many answers may be to come while more is sent. */
const UNHEARD = 3
/** The same while parts wait in this process because the kernel does not accept them, which costs a copy and memory. */
const UNHEARD_WHEN_WAITING = 1
/** So often a value is sent whose upload the owner has lost, before that is said: a store does not move so often. */
const MOST_SENT = 16
/** The last parts need no answer: the commit has one. */
const UNANSWERED_BYTES = 2 * ANSWERED * PART_BYTES

type Store = NonNullable<ReturnType<typeof IStore.asInterface>>

/** What is sent, and how it is to be put. */
export interface UploadRequest {
  readonly key: string
  readonly value: Encoded
  readonly ifVersion: bigint
  readonly ttlMs: number
  /** The upload ends with its channel. */
  readonly owner: IBinder
  /** Default: as it comes. */
  readonly step?: Step
}

/** What each answer of the owner's is waited for with. @param bytes how many of the value's have come when it is there */
export type Step = <T>(answer: Promise<T>, bytes: number) => Promise<T>

/**
 * Sends it again where the owner has lost it: when the store moves to another area. Nothing has happened then.
 * @throws as IStore; then the upload is abandoned
 */
export async function upload(store: Store, request: UploadRequest): Promise<Outcome> {
  for (let i = 1; ; i++) {
    try {
      return await uploadOnce(store, request)
    } catch (error) {
      if (!(error instanceof UploadLost)) throw error
      if (i === MOST_SENT) throw error.cause
    }
  }
}

/** It had begun, and is gone. `cause`: as the owner said it. */
class UploadLost extends Error {}

async function uploadOnce(store: Store, request: UploadRequest): Promise<Outcome> {
  const owner = store.asBinder()
  if (!choosesNone.has(owner)) {
    try {
      return await uploadAs(store, request)
    } catch (error) {
      if (errorCode(error) !== 'ERR_UNKNOWN_TRANSACTION') throw error
      choosesNone.add(owner)
    }
  }
  const { key, value, owner: sender, step = asItComes } = request
  const id = await step(asked(store.begin(sender, key, value.type, BigInt(value.bytes.length))), 0)
  return send(store, request, { id, begun: NOTHING })
}

/** Owners of before `beginAs`: they say the number of an upload. */
const choosesNone = new WeakSet<IBinder>()

/** Under a number that is chosen here, so that parts follow at once: a round trip less. */
function uploadAs(store: Store, request: UploadRequest): Promise<Outcome> {
  const { key, value, owner } = request
  const id = -1 - Math.floor(Math.random() * MOST_NUMBERS)
  const begun = asked(store.beginAs(owner, key, value.type, BigInt(value.bytes.length), id))
  return send(store, request, { id, begun })
}

const asItComes: Step = (answer) => answer
const NOTHING = Promise.resolve()
const MOST_NUMBERS = 2 ** 31

/** An upload that is open, or will be when this resolves. */
interface Begun {
  readonly id: number
  readonly begun: Promise<void>
}

/** An answer that is to come, and how much of the value is there then. */
interface Unheard {
  readonly answer: Promise<void>
  readonly bytes: number
}

async function send(store: Store, request: UploadRequest, { id, begun }: Begun): Promise<Outcome> {
  const { value, ifVersion, ttlMs, step = asItComes } = request
  const unheard: Unheard[] = [{ answer: begun, bytes: 0 }]
  let isRefused = false
  begun.catch(() => {
    isRefused = true
  })
  try {
    await sendParts(store, id, { bytes: value.bytes, unheard, step })
    // Calls are served in order, and a value that lacks a part is not committed: so nobody need wait for their answers.
    const outcome = heardLater(asked(store.commit(id, ifVersion, ttlMs)))
    await hear(unheard, 0, step) // of a part that failed: that says why
    return await step(outcome, value.bytes.length)
  } catch (error) {
    if (isRefused) throw error
    await giveUp(store, id, step)
    throw isLost(error) ? new UploadLost('the upload was lost', { cause: error }) : error
  }
}

/** The owner says so also where a part is missing, but not of a change that it has made. */
function isLost(error: unknown): boolean {
  return errorCode(error) === 'ERR_ILLEGAL_STATE' && !(error instanceof NotKeptError)
}

/** A service of this process may answer at once. */
function asked<T>(answer: T | Promise<T>): Promise<T> {
  return Promise.resolve(answer)
}

/** The first failure is reported; the others follow from it. */
function heardLater<T>(answer: Promise<T>): Promise<T> {
  answer.catch(() => undefined)
  return answer
}

/** Waits until at most this many answers are missing. */
async function hear(unheard: Unheard[], most: number, step: Step): Promise<void> {
  while (unheard.length > most) {
    const { answer, bytes } = unheard.shift() as Unheard
    await step(answer, bytes)
  }
}

interface Parts {
  readonly bytes: Uint8Array
  readonly unheard: Unheard[]
  readonly step: Step
}

async function sendParts(store: Store, id: number, { bytes, unheard, step }: Parts): Promise<void> {
  const { length } = bytes
  const binder = store.asBinder()
  if (isWaiting(binder)) await hear(unheard, 0, step) // as others do, on the same channel
  for (let at = 0, i = 1; at < length; at += PART_BYTES, i++) {
    const most = isWaiting(binder) ? UNHEARD_WHEN_WAITING : UNHEARD
    if (unheard.length > most) await hear(unheard, most, step)
    if (bytes.length < length) throw new InvalidArgValueError('the bytes were detached or made shorter on their way')
    const part = bytes.subarray(at, at + PART_BYTES)
    const isAnswered = i % ANSWERED === 0 && at + UNANSWERED_BYTES < length
    if (binder instanceof BinderProxy && !isAnswered) tellPart(binder, { id, at, part })
    else unheard.push({ answer: heardLater(asked(store.part(id, BigInt(at), part))), bytes: at + part.length })
  }
}

/** Whether parts that were sent have not left this process yet. */
function isWaiting(binder: IBinder): boolean {
  return binder instanceof BinderProxy && sessionOf(binder).queuedBytes > 0
}

/** What goes wrong with it the commit says: a part is missing. */
function tellPart(binder: BinderProxy, { id, at, part }: { id: number; at: number; part: Uint8Array }): void {
  const data = Parcel.obtain(binder)
  try {
    markLeaving(data)
    data.writeInterfaceToken(IStore.DESCRIPTOR)
    data.writeInt(id)
    data.writeLong(BigInt(at))
    lendByteArray(data, part)
    binder.transactOneway(IStore.TRANSACTION_part, data)
  } finally {
    data.recycle()
  }
}

async function giveUp(store: Store, id: number, step: Step): Promise<void> {
  try {
    await step(asked(store.abort(id)), 0)
  } catch {
    // it is gone, and the upload with it
  }
}
