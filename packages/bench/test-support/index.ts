/** All that the tests of this package have in common. */
export * from './result.ts'
