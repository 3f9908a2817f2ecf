/**
 * Modules of Node that few programs need of this library, and that take milliseconds to load: a tool that reads one value
 * should not pay for streams.
 */
import process from 'node:process'

export function nodeStream(): typeof import('node:stream') {
  return process.getBuiltinModule('node:stream')
}

export function nodeNet(): typeof import('node:net') {
  return process.getBuiltinModule('node:net')
}

export function nodeAsyncHooks(): typeof import('node:async_hooks') {
  return process.getBuiltinModule('node:async_hooks')
}

/** With it come node:net and streams. */
export function nodeTty(): typeof import('node:tty') {
  return process.getBuiltinModule('node:tty')
}
