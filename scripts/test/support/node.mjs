/** Node's own modules under one import. */
export * as nodeChildProcess from 'node:child_process'
export * as nodeCrypto from 'node:crypto'
export * as nodeFs from 'node:fs'
export * as nodeOs from 'node:os'
export * as nodePath from 'node:path'
export * as nodeUtil from 'node:util'
