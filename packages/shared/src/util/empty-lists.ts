/** The list of none, for everybody: nothing is allocated, and nothing is ever put in. */
export const NO_FDS: readonly never[] = []
export const NO_OBJECTS: readonly never[] = []
