/** The default name of a store. */
export const DEFAULT_STORE_NAME = 'SharedStore'
