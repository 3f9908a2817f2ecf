/** A program on a terminal, as a person has it: with a size, a keyboard, and whatever it draws there. By python3's pty. */
import { spawn, spawnSync } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

const RUNNER = fileURLToPath(new URL('../../test-support/fixtures/on-terminal.py', import.meta.url))

/** Why there is no terminal here, for a test's `skip`. */
export const noTerminal: string | false = spawnSync('python3', ['--version']).status === 0 ? false : 'needs python3'

export interface TerminalOptions {
  readonly columns?: number
  readonly rows?: number
  /** Besides PATH and TERM. */
  readonly env?: Readonly<Record<string, string>>
}

/** A program that runs on a terminal. */
export class Terminal {
  /** Resolves with its exit code; 128 and the signal's number when one ended it. */
  readonly ending: Promise<number>
  readonly #child: ReturnType<typeof spawn>
  readonly #events = new EventEmitter()
  #shown = ''
  #isOver = false

  /** Starts a JavaScript program; gone with the test. */
  constructor(t: Test, command: readonly string[], { columns = 80, rows = 24, env = {} }: TerminalOptions = {}) {
    const environment = { PATH: process.env.PATH ?? '', TERM: 'xterm', ...env }
    const words = Object.entries(environment).map(([name, value]) => `${name}=${value}`)
    const line = ['-i', ...words, 'python3', RUNNER, String(columns), String(rows), process.execPath, ...command]
    this.#child = spawn('env', line, { stdio: ['pipe', 'pipe', 'inherit'], cwd: '/' })
    this.#child.stdin?.on('error', () => undefined) // it has ended
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#shown += text
      this.#events.emit('news')
    })
    this.ending = once(this.#child, 'close').then(([code]) => {
      this.#isOver = true
      this.#events.emit('news')
      return Number(code)
    })
    t.teardown(async () => {
      const [, pid] = /^pid (\d+)/.exec(this.#shown) ?? []
      if (!this.#isOver && pid !== undefined) process.kill(Number(pid), 'SIGKILL')
      await this.ending
    })
  }

  /** All that was sent to the terminal, escapes included. */
  get shown(): string {
    return this.#shown.replace(/^pid \d+\n/, '')
  }

  /** Presses keys. */
  type(keys: string): void {
    this.#child.stdin?.write(keys)
  }

  /** Resolves once it has shown that. @throws Error it has ended without */
  async shows(pattern: RegExp | string): Promise<void> {
    const isThere = () => (typeof pattern === 'string' ? this.shown.includes(pattern) : pattern.test(this.shown))
    while (!isThere()) {
      if (this.#isOver) throw new Error(`${pattern} was never shown, but ${JSON.stringify(this.shown)}`)
      await once(this.#events, 'news')
    }
  }
}
