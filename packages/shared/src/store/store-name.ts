/** The name that the store has where nobody chose another. */
export const DEFAULT_STORE_NAME = 'SharedStore'
