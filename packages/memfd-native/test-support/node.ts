/** Modules of Node that tests use. */
export { default as nodeChildProcess } from 'node:child_process'
export { default as nodeEvents } from 'node:events'
export { default as nodeFs } from 'node:fs'
export { default as nodeNet } from 'node:net'
export { default as nodePath } from 'node:path'
export { default as nodeUrl } from 'node:url'
export { default as nodeWorkerThreads } from 'node:worker_threads'
