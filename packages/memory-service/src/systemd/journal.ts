/** Log lines for the journal: "<N>" in front of a line on stderr is its priority, sd-daemon(3). */
import { fstatSync } from 'node:fs'

/** pino's highest level. */
export const FATAL = 60

/** syslog(3), by pino's levels. */
const DEBUG = 7
const PRIORITIES = [
  { level: FATAL, priority: 2 },
  { level: 50, priority: 3 },
  { level: 40, priority: 4 },
  { level: 30, priority: 6 },
]

/** Whether `fd` leads to the journal: systemd says which file does (JOURNAL_STREAM, systemd.exec(5)). */
export function isJournal(env: NodeJS.ProcessEnv, fd: number): boolean {
  const { dev, ino } = fstatSync(fd, { bigint: true })
  return env.JOURNAL_STREAM === `${dev}:${ino}`
}

/** What goes before a line of this level of pino's. */
export function priorityPrefix(level: number): string {
  return `<${priorityOf(level)}>`
}

/** syslog(3)'s number for a level of pino's. */
export function priorityOf(level: number): number {
  return PRIORITIES.find((entry) => level >= entry.level)?.priority ?? DEBUG
}
