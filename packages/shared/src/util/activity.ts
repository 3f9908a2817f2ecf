/** How often something was written, and when last. */
export interface Activity {
  /** How many writes were made; of a store each key counts. */
  readonly writes: number
  /** When it became what it is: milliseconds since 1970. */
  readonly changedAt: number
}
