/** Limits of one channel, for libraries and daemons alike. docs/protocol.md, section 8. */

/**
 * Two-way calls that one side may have under way on one channel. Far above a sensible `Promise.all`, and low enough that
 * a peer's unanswered calls cost this process at most some megabytes.
 */
export const MAX_PENDING_CALLS = 1024

/** Bytes that wait in user space because the peer does not read; the kernel's own queue (about 200 KiB) comes first. */
export const MAX_QUEUED_BYTES = 1024 * 1024

/** Descriptors that wait with them: each is an open file of this process. */
export const MAX_QUEUED_FDS = 256

/** Oneway calls that came and are not finished, per channel; AOSP's RPC binder ends a session at the same number. */
export const MAX_ONEWAY_BACKLOG = 10_000

/** Bytes of the calls that came and are not finished, per channel. Android has 1 MiB for a whole process; never tuned. */
export const MAX_HELD_BYTES = 16 * 1024 * 1024

/** Objects of the peer's that this side holds proxies of, per channel. */
export const MAX_PROXIES = 4096

/** How long a server waits for HELLO, in milliseconds. */
export const HELLO_TIMEOUT_MS = 5000
