/** The sender's half of a value in parts: several on their way at a time, each in a packet of its own. */
import type { IBinder } from '../parcel/ibinder.ts'
import type { Encoded } from './json.ts'
import type { IStore, Outcome } from './store-interface.ts'

/** So much of a value fits into one packet of 65,536 bytes with all that goes before it. */
const PART_BYTES = 65_408
/** So much surely fits with the longest key. */
export const INLINE_BYTES = 64_000
/** Parts on their way that were not answered yet: as many as the kernel takes at once. More would be copied, to wait here. */
const WINDOW = 4

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

/** @throws as IStore; what has come is given up then */
export async function upload(store: Store, request: UploadRequest): Promise<Outcome> {
  const { key, value, ifVersion, ttlMs, owner, step = asItComes } = request
  const id = await step(asked(store.begin(owner, key, value.type, BigInt(value.bytes.length))), 0)
  let outcome: Promise<Outcome>
  try {
    const lastParts = await sendParts(store, id, { bytes: value.bytes, step })
    // Calls are served in order, and a value that lacks a part is not committed: so nobody need wait for their answers.
    outcome = asked(store.commit(id, ifVersion, ttlMs))
    outcome.catch(() => undefined) // of a part that failed: that says why
    await Promise.all(lastParts)
  } catch (error) {
    await giveUp(store, id, step)
    throw error
  }
  return step(outcome, value.bytes.length)
}

const asItComes: Step = (answer) => answer

/** A service of this process may answer at once. */
function asked<T>(answer: T | Promise<T>): Promise<T> {
  return Promise.resolve(answer)
}

/** @returns the last answers, which are under way */
async function sendParts(
  store: Store,
  id: number,
  { bytes, step }: { bytes: Uint8Array; step: Step },
): Promise<Promise<void>[]> {
  const answers: Promise<void>[] = []
  for (let at = 0; at < bytes.length; at += PART_BYTES) {
    if (answers.length === WINDOW) await answers.shift()
    const part = bytes.subarray(at, at + PART_BYTES)
    const answer = step(asked(store.part(id, BigInt(at), part)), at + part.length)
    answer.catch(() => undefined) // the first that fails is told below; the others fail with it
    answers.push(answer)
  }
  return answers
}

async function giveUp(store: Store, id: number, step: Step): Promise<void> {
  try {
    await step(asked(store.abort(id)), 0)
  } catch {
    // it is gone, and the upload with it
  }
}
