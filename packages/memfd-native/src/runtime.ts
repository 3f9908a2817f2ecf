/** Which runtime this is. Only Node.js, and runtimes built on it, run libuv's polls. */
import process from 'node:process'

/** Bun aborts where libuv is to poll a descriptor; in Deno it never tells that one is ready. */
const WITHOUT_POLLS = ['bun', 'deno']

/** Whether libuv tells when a descriptor is ready. */
export function hasPolls(): boolean {
  return !WITHOUT_POLLS.some((name) => name in process.versions)
}
