/** One turn of the event loop inside of the one that is running: what packages like deasync do to wait in the middle of a call. */
import { fileURLToPath } from 'node:url'

const addon = { exports: {} }
process.dlopen(addon, fileURLToPath(new URL('../../build/Release/nested_loop.node', import.meta.url)))

/** @param wait for something to happen; otherwise only what has happened is handled */
export const { runLoop } = addon.exports as { runLoop: (wait: boolean) => void }
