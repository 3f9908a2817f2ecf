/** Requests that are read where they were received. */

/**
 * An object of this project's own whose method of some codes is done with its arguments when it returns, and copies what it keeps of them: a
 * request that fills a packet is read from the hub's memory then, and not copied to be read.
 */
export const readsInPlace: unique symbol = Symbol('readsInPlace')
