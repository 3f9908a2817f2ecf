/**
 * The time for people of what peers do. A packet may bring 32 calls, and a look at the clock takes a thirtieth of what serving one does:
 * so calls that came in one packet, and are served right away, have the same.
 */
import { wallClock } from './timers.ts'

let isServing = false
/** Of the packet; 0: nobody has asked yet. */
let time = 0

/** Calls of one packet are served from here on, until `endPacket`. */
export function beginPacket(): void {
  isServing = true
  time = 0
}

export function endPacket(): void {
  isServing = false
}

/** Milliseconds since 1970: of the packet that is being served, otherwise of now. */
export function callTime(): number {
  if (!isServing) return wallClock()
  if (time === 0) time = wallClock()
  return time
}
