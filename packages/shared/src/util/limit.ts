/** A limit as data: what the code checks, the error says, `memsvc limits` shows and the documents list. */
import { LimitError } from './errors.ts'

export interface Limit {
  /** Of what; the `resource` of its LimitError. */
  readonly name: string
  readonly limit: number
  /** What is counted: descriptors, bytes, milliseconds. */
  readonly unit: string
  /** The error code beyond the limit; ERR_DEAD_OBJECT: the channel ends; null: nothing fails, it continues later. */
  readonly error: string | null
  readonly meaning: string
}

/** @param used what is in use, or was requested */
export function limitError({ name, limit }: Limit, used: number): LimitError {
  return new LimitError(name, limit, used)
}
