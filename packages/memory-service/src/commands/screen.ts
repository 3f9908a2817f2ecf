/** A terminal that a command has for itself until it ends: what it shows replaces what it showed, and keys work as they are pressed. */
import { writeSync } from 'node:fs'
import { isColoured, isDrawable } from '@memsvc/shared/internal'

const STDOUT = 1
// ECMA-48, and xterm's private modes: the other screen, which leaves the first one as it was; the cursor; the end of a line, of all.
const ENTER = '\u001b[?1049h\u001b[?25l'
const LEAVE = '\u001b[?25h\u001b[?1049l'
const HOME = '\u001b[H'
const CLEAR_LINE = '\u001b[K'
const CLEAR_REST = '\u001b[J'
const BOLD = '\u001b[1m'
const PLAIN = '\u001b[0m'
/** q, Ctrl-C, Ctrl-D. */
const LEAVING_KEYS = ['q', 'Q', '\u0003', '\u0004']
const USUAL_SIZE = { rows: 24, columns: 80 }

export class Screen {
  /**
   * @param onLeave called when the user wants to leave.
   * @returns null if stdout is not a terminal on which one can draw
   */
  static open(onLeave: () => void): Screen | null {
    return isDrawable(STDOUT) ? new Screen(onLeave) : null
  }

  private constructor(onLeave: () => void) {
    write(ENTER)
    process.once('exit', () => {
      if (process.stdin.isTTY) process.stdin.setRawMode(false)
      write(LEAVE)
    })
    if (!process.stdin.isTTY) return
    process.stdin.setRawMode(true).unref()
    process.stdin.on('data', (keys: Buffer) => {
      if (LEAVING_KEYS.some((key) => keys.includes(key))) onLeave()
    })
  }

  /** As many lines, and as much of each, as there is room for. The first one stands out. */
  show(lines: readonly string[]): void {
    const { rows, columns } = { ...USUAL_SIZE, ...size() }
    const shown = lines.slice(0, rows).map((line) => line.slice(0, columns) + CLEAR_LINE)
    if (isColoured(STDOUT)) shown[0] = `${BOLD}${shown[0] ?? ''}${PLAIN}`
    write(HOME + shown.join('\n') + CLEAR_REST)
  }
}

/** Changes while it is looked at. */
function size(): { rows: number; columns: number } | null {
  const { rows, columns } = process.stdout
  return rows > 0 && columns > 0 ? { rows, columns } : null
}

/** A terminal that has gone (EIO) shows nothing more. */
function write(text: string): void {
  try {
    writeSync(STDOUT, text)
  } catch {
    // nobody needs to know
  }
}
