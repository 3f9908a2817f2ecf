/** What this process holds of the kernel right now, as lines to compare and to print. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** Every open descriptor with what it leads to: `fd 12 -> socket:[4711]`. */
export function openDescriptors(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [`fd ${fd} -> ${readlinkSync(`/proc/self/fd/${fd}`)}`]
    } catch {
      return [] // the descriptor of the listing itself: closed by now
    }
  })
}

/** Every shared mapping, a line of proc_pid_maps(5) each. libuv's io_uring rings are its own affair. */
export function sharedMappings(): string[] {
  return readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter((line) => / [r-][w-][x-]s /.test(line) && !line.includes('[io_uring]'))
    .map((line) => `mapping ${line}`)
}
