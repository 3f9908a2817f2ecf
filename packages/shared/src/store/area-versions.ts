/** The versions that one area may give: it counts them, and gets more when they are used up. */
import type { AreaWriter } from 'memfd-native'
import { farVersions, givenUpTo, isPlain, moreVersions, plainVersions, type Versions } from './versions.ts'

export class AreaVersions {
  #left: number
  #after: bigint

  constructor({ after, count }: Versions) {
    this.#left = count
    this.#after = after
  }

  /** All versions that may still be given come after this one. */
  get after(): bigint {
    return this.#after
  }

  /** Counts versions that are about to be given. @returns false: there are not enough left, so `renew` must come first */
  spend(count: number): boolean {
    this.#left -= count
    return this.#left >= 0
  }

  /** Gets more, for the writer that gave the last ones. @throws ERR_LIMIT in 2061 */
  renew(writer: AreaWriter): void {
    this.#take(moreVersions(writer.stats.committed), writer)
  }

  /** This version was given by an earlier area, so all that come now are above it. Only before anybody has the area. */
  beginAfter(version: bigint, writer: AreaWriter): void {
    givenUpTo(version)
    this.#take(isPlain(version) && isPlain(this.#after) ? plainVersions() : farVersions(), writer)
  }

  #take({ after, count }: Versions, writer: AreaWriter): void {
    const code = after === writer.stats.committed ? 0 : writer.skipTo(after)
    // Going on would give versions that were given before.
    if (code < 0) throw new Error(`the area cannot leave out versions up to ${after}: ${code}`)
    this.#after = after
    this.#left = count
  }
}
