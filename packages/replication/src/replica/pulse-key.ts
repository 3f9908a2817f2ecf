/** The key by which machines prove to each other that changes still come: no value of the store. */
export const PULSE_KEY = '.pulse'
export const PULSE_KEY_BYTES = Buffer.from(PULSE_KEY)
