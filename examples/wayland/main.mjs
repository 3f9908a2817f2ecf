/**
 * `node main.mjs`: a window whose frames are in a memfd. It is shown by the compositor that runs (WAYLAND_DISPLAY), else by a weston
 * without a screen that is started for it. `--stay` leaves it open until a line is typed.
 */
import { once } from 'node:events'
import { join } from 'node:path'
import { startWeston } from './compositor.mjs'
import { Window } from './window.mjs'
import { Connection } from './wire.mjs'

const COLOURS = [0xcc3333, 0x33aa33, 0x3366cc]

const { WAYLAND_DISPLAY, XDG_RUNTIME_DIR = '' } = process.env
const compositor = WAYLAND_DISPLAY
  ? { path: join(WAYLAND_DISPLAY.startsWith('/') ? '' : XDG_RUNTIME_DIR, WAYLAND_DISPLAY), end: () => undefined }
  : await startWeston()
try {
  const window = await Window.open(new Connection(compositor.path), 'memsvc')
  for (const colour of COLOURS) await window.show(colour)
  const { width, height } = window.size
  console.log(`${COLOURS.length} frames of ${width} x ${height} were shown`)
  if (process.argv.includes('--stay')) await once(process.stdin, 'data')
  window.close()
  process.stdin.destroy()
} finally {
  compositor.end()
}
