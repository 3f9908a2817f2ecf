/** The window: what `memclient ui` opens. */
export { openWindow, type Window, type WindowOptions } from './window.ts'
