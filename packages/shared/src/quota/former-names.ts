/** The old names of limits. If one is used, the error gives the new name. */
const FORMER_NAMES: ReadonlyMap<string, string> = new Map([
  ['passed', 'unreadDescriptors'],
  ['descriptors', 'heldDescriptors'],
  ['blocks', 'heldBlocks'],
  ['refused', 'turnedAway'],
  ['waiting', 'pendingSearches'],
])

/** The name that a limit has now, if it had this one before. */
export function currentName(former: string): string | undefined {
  return FORMER_NAMES.get(former)
}
