/** What the kernel tells everybody about a process: proc_pid_stat(5). */
import { readFileSync } from 'node:fs'

const TICK_MS = 10 // sysconf(_SC_CLK_TCK) is 100 on every Linux that Node runs on

/** Milliseconds of processor time that it has used so far. */
export function processorTime(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  const [userTicks, systemTicks] = fields.slice(11, 13).map(Number)
  return ((userTicks ?? 0) + (systemTicks ?? 0)) * TICK_MS
}
