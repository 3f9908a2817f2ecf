/** Modules of Node that tests use. */
export { default as nodeChildProcess } from 'node:child_process'
export { default as nodeCrypto } from 'node:crypto'
export { default as nodeFs } from 'node:fs'
export { default as nodeNet } from 'node:net'
export { default as nodeOs } from 'node:os'
export { default as nodePath } from 'node:path'
export { default as nodeUrl } from 'node:url'
