/** The sender's half of a value in parts: several on their way at a time, each in a packet of its own. */
import type { IBinder } from '../parcel/ibinder.ts'
import type { Encoded } from './json.ts'
import type { IStore, Outcome } from './store-interface.ts'

/** So much of a value fits into one packet of 65,536 bytes with all that goes before it. */
export const PART_BYTES = 65_408
/** Parts on their way that were not answered yet. Guess, never tuned. */
const WINDOW = 8

type Store = NonNullable<ReturnType<typeof IStore.asInterface>>

/** What is sent, and how it is to be put. */
export interface UploadRequest {
  readonly key: string
  readonly value: Encoded
  readonly ifVersion: bigint
  readonly ttlMs: number
  /** The upload ends with its channel. */
  readonly owner: IBinder
}

/** @throws as IStore; what has come is given up then */
export async function upload(store: Store, { key, value, ifVersion, ttlMs, owner }: UploadRequest): Promise<Outcome> {
  const id = await store.begin(owner, key, value.type, BigInt(value.bytes.length))
  try {
    await sendParts(store, id, value.bytes)
  } catch (error) {
    await giveUp(store, id)
    throw error
  }
  return store.commit(id, ifVersion, ttlMs)
}

async function sendParts(store: Store, id: number, bytes: Uint8Array): Promise<void> {
  const answers: Promise<void>[] = []
  for (let at = 0; at < bytes.length; at += PART_BYTES) {
    if (answers.length === WINDOW) await answers.shift()
    const answer = Promise.resolve(store.part(id, BigInt(at), bytes.subarray(at, at + PART_BYTES)))
    answer.catch(() => undefined) // the first that fails is told below; the others fail with it
    answers.push(answer)
  }
  await Promise.all(answers)
}

async function giveUp(store: Store, id: number): Promise<void> {
  try {
    await store.abort(id)
  } catch {
    // it is gone, and the upload with it
  }
}
