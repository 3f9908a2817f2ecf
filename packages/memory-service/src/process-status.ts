/** What this process holds: counted in /proc, because with PR_SET_DUMPABLE off nobody else can look. */
import { readdirSync, readFileSync } from 'node:fs'

/** Open descriptors, less the one that reading the folder takes. */
export function countDescriptors(): number {
  return readdirSync('/proc/self/fd').length - 1
}

/** Mappings of memfds. */
export function countRegionMappings(): number {
  const lines = readFileSync('/proc/self/maps', 'latin1').split('\n')
  return lines.filter((line) => line.includes('/memfd:')).length
}
