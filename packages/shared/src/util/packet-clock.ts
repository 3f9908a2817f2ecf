/**
 * The time for people of what peers do. A packet may bring 32 calls, a batch 64 packets, and a look at the clock takes a thirtieth of what
 * serving a call does: so calls that came together, and are served one right after the other, have the same.
 */
import { wallClock } from './timers.ts'

let isServing = false
/** Of what came together; 0: nobody has asked yet. */
let time = 0

/** What is served from here on did not come together with what was served before. */
export function beginTime(): void {
  time = 0
}

/** Calls of one packet are served from here on, until `endPacket`. */
export function beginPacket(): void {
  isServing = true
}

export function endPacket(): void {
  isServing = false
}

/** Milliseconds since 1970: of the packets that are being served, otherwise of now. */
export function callTime(): number {
  if (!isServing) return wallClock()
  if (time === 0) time = wallClock()
  return time
}
