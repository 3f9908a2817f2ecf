/** What an examination came to: as `memsvc doctor` prints it. */

/** One thing that was tried. */
export interface ClusterFinding {
  /** What was tried. */
  readonly name: string
  /** A warning: it works, with less. A problem: it does not. */
  readonly verdict: 'ok' | 'warning' | 'problem'
  /** What was seen. */
  readonly found: string
  /** What follows from it; null where all is well. */
  readonly follows: string | null
  /** What to do; null where all is well. */
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
