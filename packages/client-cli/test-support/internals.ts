/** What the tests use of this package beyond its public names. */

export { ReaderGone } from '@memsvc/shared/internal'
export type { Context } from '../src/commands/context.ts'
export { startProgress } from '../src/commands/progress.ts'
export { tryGet } from '../src/quick-get.ts'
export { tryRead } from '../src/quick-read.ts'
