/** What the languages of check-parameters have in common. */

export const MAX_PARAMETERS = 5

/** Whether two neighbours are set. */
export function isPair(flags) {
  return flags.some((flag, i) => flag && flags[i + 1])
}
