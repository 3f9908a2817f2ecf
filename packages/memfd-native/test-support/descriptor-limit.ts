import { spawnSync } from 'node:child_process'

/** Sets RLIMIT_NOFILE of this process, for the rest of its life: too few descriptors may be left to raise it again. */
export function lowerDescriptorLimit(limit: number): void {
  const { status, stderr } = spawnSync('prlimit', [`--pid=${process.pid}`, `--nofile=${limit}:`], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`prlimit: ${stderr}`)
}
