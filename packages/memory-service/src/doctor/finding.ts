/** A result of an examination. */

export type Verdict = 'ok' | 'warning' | 'problem'

export interface Finding {
  readonly name: string
  /** A warning: memsvc works, with less. A problem: it does not. */
  readonly verdict: Verdict
  /** What was found. */
  readonly found: string
  /** What follows from it, and what to do; null where all is well. */
  readonly follows: string | null
  readonly remedy: string | null
}

/** The meaning of a finding that is not ok. */
export interface Diagnosis {
  readonly verdict: Exclude<Verdict, 'ok'>
  readonly follows: string
  readonly remedy: string
}

export function ok(name: string, found: string): Finding {
  return { name, verdict: 'ok', found, follows: null, remedy: null }
}

export function notOk(name: string, found: string, diagnosis: Diagnosis): Finding {
  return { name, found, ...diagnosis }
}

/**
 * Tries something. What it answers was found; false or an error is as `diagnosis` says.
 * @param attempt closes what it opens
 */
export function tryOut(name: string, attempt: () => string | false, diagnosis: Diagnosis): Finding {
  try {
    const found = attempt()
    return found === false ? notOk(name, 'missing', diagnosis) : ok(name, found)
  } catch (error) {
    return notOk(name, (error as Error).message, diagnosis)
  }
}
