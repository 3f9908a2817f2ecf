/** What the tests use of this package beyond its public names. */
export { tryGet } from '../src/quick-get.ts'
export { tryRead } from '../src/quick-read.ts'
