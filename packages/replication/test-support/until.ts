import { setTimeout as delay } from 'node:timers/promises'

/** Resolves when it is so. Whoever waits for ever is ended by the watchdog. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await delay(10)
}
