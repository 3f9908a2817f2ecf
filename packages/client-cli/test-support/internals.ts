/** What the tests use of this package beyond its public names. */
export { tryRead } from '../src/quick-read.ts'
