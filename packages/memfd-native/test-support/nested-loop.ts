/** One turn of the event loop inside of the one that is running: what packages like deasync do to wait in the middle of a call. */
import { fileURLToPath } from 'node:url'

interface Addon {
  runLoop(wait: boolean): void
}

let addon: Addon | undefined

/** @param wait for something to happen; otherwise only what has happened is handled */
export function runLoop(wait: boolean): void {
  addon ??= load()
  addon.runLoop(wait)
}

function load(): Addon {
  const module = { exports: {} }
  process.dlopen(module, fileURLToPath(new URL('../../build/Release/nested_loop.node', import.meta.url)))
  return module.exports as Addon
}
