/** The name of the method that `using` calls. */

/**
 * Symbol.dispose; where a realm has none (those that node:vm makes before Node 24, as test runners do) the one that compilers of
 * `using` take in its place.
 */
export const dispose: typeof Symbol.dispose = Symbol.dispose ?? (Symbol.for('Symbol.dispose') as typeof Symbol.dispose)
