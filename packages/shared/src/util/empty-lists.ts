/** Empty lists that everybody shares, so that none is allocated. Nothing is ever added to them. */
export const NO_FDS: readonly never[] = []
export const NO_OBJECTS: readonly never[] = []
