/**
 * How fresh the copy is. A *look* is a read on which the whole cluster agrees: it says at which revision the cluster was, at some moment after it
 * was asked. Once the copy has everything up to that revision, it has everything that was true when the look was asked. So a late answer, a slow watch
 * or a stopped process make the copy older, never wrongly fresh.
 */
interface Look {
  readonly askedAt: number
  readonly revision: bigint
}

/** More need not be kept: the next one comes soon. */
const KEPT = 32

export class Proofs {
  #looks: Look[] = []
  #contact = 0

  /** The time (of `bootTime()`, in milliseconds) up to which the copy is known to be complete; 0 if unknown. */
  get contact(): number {
    return this.#contact
  }

  /** @param askedAt milliseconds of `bootTime()`; @param applied what the copy has now. @returns whether that has proven something */
  add(askedAt: number, revision: bigint, applied: bigint): boolean {
    this.#looks.push({ askedAt, revision })
    if (this.#looks.length > KEPT) this.#looks.shift()
    return this.applied(applied)
  }

  /** The copy has everything up to there. @returns whether that has proven something */
  applied(revision: bigint): boolean {
    const before = this.#contact
    for (const look of this.#looks) {
      if (look.revision <= revision && look.askedAt > this.#contact) this.#contact = look.askedAt
    }
    this.#looks = this.#looks.filter((look) => look.revision > revision && look.askedAt > this.#contact)
    return this.#contact > before
  }

  /** Whether a copy that is complete up to there would be confirmed again. */
  wouldProve(revision: bigint): boolean {
    return this.#looks.some((look) => look.revision <= revision && look.askedAt > this.#contact)
  }

  /** Another history: nothing of before is proven. */
  forget(): void {
    this.#looks = []
    this.#contact = 0
  }
}
