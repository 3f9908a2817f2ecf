/** Sets a key of each group, again and again. */
import { SharedStore } from '@memsvc/shared'
import { answer } from '../lib/child.mjs'

let store

async function setAll(groups, value) {
  await Promise.all(Array.from({ length: groups }, (_, group) => store.set(`w/${group}/key`, value)))
}

answer({
  async open({ registry, groups }) {
    store = await SharedStore.open('SharedStore', { path: registry })
    await setAll(groups, 0)
  },

  async write({ seconds, groups }) {
    let last = 0
    for (const end = performance.now() + seconds * 1000; performance.now() < end; ) await setAll(groups, ++last)
    return last
  },
})
