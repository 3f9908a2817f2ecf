/** What the kernel tells about a process. proc(5) */
import { readdirSync, readFileSync } from 'node:fs'

export interface Memory {
  /** Resident: pages that are shared count in full. Bytes. */
  readonly rss: number
  /** Proportional: a page of N processes counts 1/N in each. Bytes. */
  readonly pss: number
}

export function memoryOf(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  return { rss: kibibytes(text, 'Rss') * 1024, pss: kibibytes(text, 'Pss') * 1024 }
}

export function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

/** Bytes that could be had without swapping. */
export function availableMemory(): number {
  return kibibytes(readFileSync('/proc/meminfo', 'utf8'), 'MemAvailable') * 1024
}

function kibibytes(text: string, name: string): number {
  const [, number] = new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(text) ?? []
  if (number === undefined) throw new Error(`the kernel does not tell ${name}`)
  return Number(number)
}
