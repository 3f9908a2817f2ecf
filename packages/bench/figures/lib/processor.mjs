/** What a process has used. */
import { readFileSync } from 'node:fs'

const TICKS_PER_SECOND = 100 // USER_HZ, proc_pid_stat(5)

/** Of the processor: seconds. */
export function processorOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** Of memory: bytes. */
export function memoryOf(pid) {
  const [, kibibytes] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(kibibytes) * 1024
}
