/** What the header of an area says about a copy of values that are kept elsewhere (docs/protocol.md, 9.1). */

/** How true a copy is. */
export const replicaStates = {
  NONE: 0,
  SYNCING: 1,
  LIVE: 2,
  STALE: 3,
  REFUSED: 4,
} as const

export type ReplicaState = (typeof replicaStates)[keyof typeof replicaStates]

/** The words of a copy in the header of its areas. */
export interface ReplicaWords {
  readonly state: ReplicaState
  /** In the origin's numbers: everything up to there is in the copy. */
  readonly applied: bigint
  /** The time (of `bootTime()`, in milliseconds) up to which the copy is known to be complete; 0 if unknown. */
  readonly contact: number
}
