/** All that the tests of this package have in common. */

export * from './area.ts'
export * from './area-child.ts'
export * from './code-of.ts'
export * from './compile.ts'
export * from './descriptor-limit.ts'
export * from './fixture.ts'
export * from './leaks.ts'
export * from './memfd.ts'
export * from './nested-loop.ts'
export * from './node.ts'
export * from './sockets.ts'
export * from './temp-folder.ts'
