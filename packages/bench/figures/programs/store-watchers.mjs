/** Many watchers of a store, each of a prefix; so many of them on one channel as there may be. */
import { SharedStore } from '@memsvc/shared'
import { answer } from '../lib/child.mjs'

const OF_CHANNEL = 250

/** What each has seen last, by its number. */
const seen = []
let [notices, strangers, disorders] = [0, 0, 0]

async function follow(store, prefix, index) {
  seen[index] = -1
  for await (const { key, value } of store.changes(prefix, { initial: true })) {
    notices += 1
    if (!key.startsWith(prefix)) strangers += 1
    if (value < seen[index]) disorders += 1
    seen[index] = value
  }
}

answer({
  async watch({ registry, count, groups }) {
    for (let first = 0; first < count; first += OF_CHANNEL) {
      const store = await SharedStore.open('SharedStore', { path: registry })
      for (let i = first; i < Math.min(first + OF_CHANNEL, count); i++) void follow(store, `w/${i % groups}/`, i)
    }
    return { watching: seen.length }
  },

  look({ last }) {
    return { reached: seen.filter((value) => value === last).length, notices, strangers, disorders }
  },
})
