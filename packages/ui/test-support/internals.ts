/** What the tests use of this package beyond its public names. */
export { entryText, preview, readEdit } from '../src/model/entry-text.ts'
