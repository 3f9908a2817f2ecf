/**
 * Reports the state of the daemon to systemd: ready, reloading, stopping, its counts, and that the event loop still
 * runs.
 */
import type { NotifySocket } from './notify-socket.ts'

/** Counts change in bursts, so they are reported at most this often. Milliseconds. */
const STATUS_PAUSE_MS = 200

export interface NotifierOptions {
  /** null: nobody listens, and every method does nothing. Stays the caller's. */
  readonly socket: NotifySocket | null
  /** How long systemd waits for a sign of life, from {@link takeWatchdogLimit}; null: it does not. */
  readonly watchdogMs: number | null
  /** One line for people, `systemctl status` shows it. */
  readonly status: () => string
}

export class ServiceNotifier {
  readonly #options: NotifierOptions
  #watchdog: NodeJS.Timeout | undefined
  #pause: NodeJS.Timeout | undefined
  #isReady = false

  constructor(options: NotifierOptions) {
    this.#options = options
  }

  /** The daemon can be used; after a reload: again. Signs of life begin with the first call. */
  ready(): void {
    this.#isReady = true
    this.#send('READY=1', this.#status)
    const { watchdogMs, socket } = this.#options
    if (watchdogMs === null || socket === null) return
    // A timer of the event loop: when that hangs, the sign does not come, and systemd restarts the daemon.
    this.#watchdog ??= setInterval(() => this.#send('WATCHDOG=1'), watchdogMs / 2).unref()
  }

  /** A count has become another one. */
  changed(): void {
    if (!this.#isReady || this.#pause !== undefined || this.#options.socket === null) return
    this.#pause = setTimeout(() => {
      this.#pause = undefined
      this.#send(this.#status)
    }, STATUS_PAUSE_MS).unref()
  }

  /** Until `ready()`. systemd takes the time to tell this reload from an earlier one. */
  reloading(): void {
    const microseconds = process.hrtime.bigint() / 1000n // CLOCK_MONOTONIC, as sd_notify(3) wants it
    this.#send('RELOADING=1', `MONOTONIC_USEC=${microseconds}`)
  }

  /** Nothing is reported after it. */
  stopping(): void {
    this.#isReady = false
    clearInterval(this.#watchdog)
    clearTimeout(this.#pause)
    this.#send('STOPPING=1', 'STATUS=stopping')
  }

  get #status(): string {
    return `STATUS=${this.#options.status()}`
  }

  #send(...assignments: string[]): void {
    this.#options.socket?.send(assignments.join('\n'))
  }
}

/**
 * Takes WATCHDOG_USEC and WATCHDOG_PID out of `env` (sd_watchdog_enabled(3)).
 * @returns milliseconds within which systemd wants a sign of life; null: not from this process
 */
export function takeWatchdogLimit(env: NodeJS.ProcessEnv, pid: number): number | null {
  const { WATCHDOG_USEC, WATCHDOG_PID } = env
  delete env.WATCHDOG_USEC
  delete env.WATCHDOG_PID
  const isForUs = WATCHDOG_PID === undefined || Number(WATCHDOG_PID) === pid
  return isForUs && /^[1-9]\d*$/.test(WATCHDOG_USEC ?? '') ? Number(WATCHDOG_USEC) / 1000 : null
}
