/** Changes of values, as a store's core makes them. */
import { areaTypes } from 'memfd-native'
import type { Put } from './area-transaction.ts'
import type { Charge } from './holdings.ts'
import type { Encoded } from './json.ts'

/** One change, as it is asked for. */
export interface CoreEdit {
  readonly key: string
  /** Null: it is deleted. */
  readonly value: Encoded | null
  /** Write only if the key has this version; 0n: only if it has no value. */
  readonly ifVersion?: bigint | undefined
}

/** If a key appears twice, its last change counts. */
export function lastOfEachKey(edits: readonly CoreEdit[]): CoreEdit[] {
  return [...new Map(edits.map((edit) => [edit.key, edit])).values()]
}

export function keysOf(edits: readonly CoreEdit[]): string[] {
  return edits.map(({ key }) => key)
}

export function chargeOf({ key, value }: CoreEdit): Charge {
  return { key, bytes: value?.bytes.length ?? null }
}

export function putOf({ key, value }: CoreEdit): Put {
  return { key, type: value?.type ?? areaTypes.DELETED, bytes: value?.bytes ?? null, block: 0 }
}
