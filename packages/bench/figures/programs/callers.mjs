/** Many connections to the registry, each of which calls now and then. */
import { setTimeout as delay } from 'node:timers/promises'
import { DEFAULT_SERVICE_NAME, errorCode, ServiceManager } from '@memsvc/shared'
import { answer } from '../lib/child.mjs'

const CONNECTING_AT_ONCE = 100
const TICKS_PER_SECOND = 100

const managers = []

async function connectOne(registry, failures) {
  try {
    const manager = await ServiceManager.connect({ path: registry })
    await manager.getServiceInfo(DEFAULT_SERVICE_NAME)
    managers.push(manager)
  } catch (error) {
    failures.push(errorCode(error))
  }
}

async function call(manager, durations, failures) {
  const begin = performance.now()
  try {
    await manager.getServiceInfo(DEFAULT_SERVICE_NAME)
    durations.push(performance.now() - begin)
  } catch (error) {
    failures.push(errorCode(error))
  }
}

answer({
  async connect({ registry, count }) {
    const failures = []
    for (let left = count; left > 0; left -= CONNECTING_AT_ONCE) {
      const some = Array.from({ length: Math.min(left, CONNECTING_AT_ONCE) }, () => connectOne(registry, failures))
      await Promise.all(some)
    }
    return { held: managers.length, failures }
  },

  /** Each connection once a second (or `perSecond` times), evenly spread. */
  async callEverywhere({ seconds, perSecond = 1 }) {
    const durations = []
    const failures = []
    const calls = []
    const due = (managers.length * perSecond) / TICKS_PER_SECOND
    const begin = performance.now()
    for (let tick = 1; tick <= seconds * TICKS_PER_SECOND; tick++) {
      while (calls.length < tick * due) calls.push(call(managers[calls.length % managers.length], durations, failures))
      await delay(begin + (tick * 1000) / TICKS_PER_SECOND - performance.now())
    }
    await Promise.all(calls)
    return { attempted: calls.length, durations, failures }
  },
})
