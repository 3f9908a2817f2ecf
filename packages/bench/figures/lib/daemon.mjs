/** Daemons and the canary, as the tests have them. */
import { setTimeout as delay } from 'node:timers/promises'
import { ServiceManager, SharedValue } from '@memsvc/shared'
import { startDaemon as startProgram } from '@memsvc/shared/test-support'
import { thisCheckout } from '../../dist/src/harness/field.js'
import { Child } from './child.mjs'
import { percentiles } from './numbers.mjs'

const POLL_MS = 2
const PATIENCE_MS = 10_000

/** The program, as node runs it. */
export const MEMSVC = `${thisCheckout.root}/packages/memory-service/bin/memsvc.js`

/** @param limits options of `memsvc start`: { 'max-connections': 100 } */
export function startDaemon(scope, limits = {}, options = {}) {
  const args = Object.entries(limits).flatMap(([name, value]) => [`--${name}`, String(value)])
  return startProgram(scope, MEMSVC, { ...options, args: [...args, ...(options.args ?? [])] })
}

/** What `use` makes of the value, seen by a new client. */
export async function withValue(registry, name, use) {
  const manager = await ServiceManager.connect({ path: registry })
  try {
    const value = await SharedValue.open(manager, name)
    try {
      return await use(value)
    } finally {
      value.close()
    }
  } finally {
    manager.close()
  }
}

/** What new clients read, as soon as all names are there; null when that takes too long. */
export async function readSoon(registry, names) {
  const deadline = performance.now() + PATIENCE_MS
  while (performance.now() < deadline) {
    try {
      const values = []
      for (const name of names) values.push(await withValue(registry, name, (value) => value.get()))
      return values
    } catch {
      await delay(POLL_MS)
    }
  }
  return null
}

/** A client in a process of its own that has nothing to do with what is measured: it writes, reads and watches. */
export class CanaryProcess {
  #child

  constructor(scope) {
    this.#child = new Child(scope, 'canary')
  }

  start(registry) {
    return this.#child.ask('start', { registry })
  }

  /** What was until now is of no interest. */
  async forget() {
    await this.#child.ask('look')
  }

  /** Its rounds since the last look; it throws at an error, or a value that nobody wrote. */
  async look() {
    const durations = await this.#child.ask('look')
    return { rounds: durations.length, ...percentiles(durations) }
  }
}

export function valuesRead(rounds) {
  return { what: 'values read by the canary, and right', attempted: rounds, survived: rounds }
}
