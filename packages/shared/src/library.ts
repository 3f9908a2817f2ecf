/** All of this package in one module: what its entries share is there once, and is compiled once. */
export * from './index.ts'
export * from './internal.ts'
