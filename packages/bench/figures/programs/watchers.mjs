/** Many watchers of the value, each by a channel of its own. */
import { errorCode, ServiceManager, SharedValue } from '@memsvc/shared'
import { answer } from '../lib/child.mjs'

const OPENING_AT_ONCE = 50

/** What each has seen last. */
const seen = []
const failures = []
let notices = 0
let disorders = 0

async function watchOne(registry) {
  try {
    const manager = await ServiceManager.connect({ path: registry })
    const value = await SharedValue.open(manager)
    manager.close() // the channel lives on
    const changes = value.changes()
    const { value: first } = await changes.next()
    const index = seen.push(first) - 1
    follow(changes, index).catch((error) => failures.push(errorCode(error)))
  } catch (error) {
    failures.push(errorCode(error))
  }
}

async function follow(changes, index) {
  for await (const value of changes) {
    notices += 1
    if (value < seen[index]) disorders += 1
    seen[index] = value
  }
}

answer({
  async watch({ registry, count }) {
    for (let left = count; left > 0; left -= OPENING_AT_ONCE) {
      await Promise.all(Array.from({ length: Math.min(left, OPENING_AT_ONCE) }, () => watchOne(registry)))
    }
    return { watching: seen.length, failures }
  },

  look({ last }) {
    return { reached: seen.filter((value) => value === last).length, notices, disorders, failures }
  },
})
