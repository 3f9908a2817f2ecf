/** All that the tests of this package have in common. */
export * from '@memsvc/shared/test-support'
export * from './cable.ts'
export * from './etcd.ts'
export * from './fake-engine.ts'
export * from './machines.ts'
export * from './until.ts'
