/** All that the tests of this package have in common. */
export * from '@memsvc/shared/test-support'
export type { Test } from 'tap'
export * from './chromium.ts'
export * from './internals.ts'
export * from './node.ts'
export * from './page.ts'
export * from './programs.ts'
export type { Page } from './puppeteer.ts'
