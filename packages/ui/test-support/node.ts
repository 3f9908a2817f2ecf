/** Modules of Node that tests use. */
export { default as nodeChildProcess } from 'node:child_process'
export { default as nodeFs } from 'node:fs'
export { default as nodeHttp } from 'node:http'
export { default as nodeOs } from 'node:os'
export { default as nodePath } from 'node:path'
export { default as nodeTimers } from 'node:timers/promises'
