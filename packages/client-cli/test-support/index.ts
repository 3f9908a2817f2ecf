/** All that the tests of this package have in common. */
export * from '@memsvc/shared/test-support'
export type { Test } from 'tap'
export * from './commands.ts'
export * from './internals.ts'
export * from './node.ts'
export * from './odd-service.ts'
export * from './store.ts'
