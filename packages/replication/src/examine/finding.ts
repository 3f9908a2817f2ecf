/** A result of an examination, as `memsvc doctor` prints it. */

/** One finding of `examineCluster`. */
export interface ClusterFinding {
  /** What was examined. */
  readonly name: string
  /** `warning`: it works, with restrictions. `problem`: it does not work. */
  readonly verdict: 'ok' | 'warning' | 'problem'
  /** What was found. */
  readonly found: string
  /** The consequence; null if it is ok. */
  readonly follows: string | null
  /** What to do; null if it is ok. */
  readonly remedy: string | null
}

export function ok(name: string, found: string): ClusterFinding {
  return { name, verdict: 'ok', found, follows: null, remedy: null }
}

export function warning(name: string, found: string, rest: { follows: string; remedy: string }): ClusterFinding {
  return { name, verdict: 'warning', found, ...rest }
}

export function problem(name: string, found: string, rest: { follows: string; remedy: string }): ClusterFinding {
  return { name, verdict: 'problem', found, ...rest }
}
