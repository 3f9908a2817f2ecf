/**
 * Node's timers as they were when this was loaded, whatever a program makes of the global ones (fake timers, jsdom, Electron's
 * renderer). They run in no async context, and hold none.
 */
import timers from 'node:timers'
import { inNoContext } from './async-context.ts'

type Timers = Pick<
  typeof timers,
  'setTimeout' | 'clearTimeout' | 'setInterval' | 'clearInterval' | 'setImmediate' | 'clearImmediate'
>

const genuine = {
  setTimeout: genuineOf('setTimeout'),
  setInterval: genuineOf('setInterval'),
  setImmediate: genuineOf('setImmediate'),
}

/**
 * Node's timers, also when a program has replaced the global ones: see the head of this file. They work like Node's,
 * with these arguments only.
 */
export const nodeTimers = Object.freeze({
  /** Once, after so many milliseconds. */
  setTimeout: (act: () => void, milliseconds: number): NodeJS.Timeout =>
    inNoContext(() => genuine.setTimeout(act, milliseconds)),
  /** Again and again. */
  setInterval: (act: () => void, milliseconds: number): NodeJS.Timeout =>
    inNoContext(() => genuine.setInterval(act, milliseconds)),
  /** After this turn of the event loop. */
  setImmediate: (act: () => void): NodeJS.Immediate => inNoContext(() => genuine.setImmediate(act)),
  /** Of setTimeout. */
  clearTimeout: genuineOf('clearTimeout'),
  /** Of setInterval. */
  clearInterval: genuineOf('clearInterval'),
  /** Of setImmediate. */
  clearImmediate: genuineOf('clearImmediate'),
})

/** Fake timers of the common kind (@sinonjs/fake-timers) that were there first keep what they stand for. */
function genuineOf<Name extends keyof Timers>(name: Name): Timers[Name] {
  const found: Timers[Name] & { clock?: Partial<Record<string, Timers[Name]>> } = timers[name]
  return found.clock?.[`_${name}`] ?? found
}
