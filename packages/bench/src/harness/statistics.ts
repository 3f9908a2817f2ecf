/** Medians and spreads. */

export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** Of at least one number. With an even count the mean of the middle two. */
export function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5)
}

/** `q` from 0 to 1, interpolated between neighbours. */
export function quantile(numbers: Iterable<number>, q: number): number {
  const sorted = Float64Array.from(numbers).sort()
  if (sorted.length === 0) throw new RangeError('a quantile of no numbers')
  const position = (sorted.length - 1) * q
  const below = sorted[Math.floor(position)] as number
  const above = sorted[Math.ceil(position)] as number
  return below + (above - below) * (position - Math.floor(position))
}

export function spread(numbers: readonly number[]): Spread {
  return { median: median(numbers), min: Math.min(...numbers), max: Math.max(...numbers) }
}

/** Round by round: a disturbed round disturbs both sides of its ratio, and the median drops it. */
export function ratios(numbers: readonly number[], base: readonly number[]): number[] {
  if (numbers.length !== base.length) throw new RangeError('ratios need the same rounds on both sides')
  return numbers.map((number, round) => number / (base[round] as number))
}
