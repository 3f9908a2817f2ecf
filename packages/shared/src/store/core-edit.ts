import type { Encoded } from './json.ts'

/** One change, as it is asked for. */
export interface CoreEdit {
  readonly key: string
  /** Null: it is deleted. */
  readonly value: Encoded | null
  /** Only if this is its version; 0n: only if it is absent. */
  readonly ifVersion?: bigint | undefined
}
