/** Writes 1, 2, 3, ... as fast as the service takes them. */
import { ServiceManager, SharedValue } from '@memsvc/shared'
import { answer } from '../lib/child.mjs'

const WINDOW = 32

answer({
  /** @returns the last value that was written */
  async write({ registry, seconds }) {
    const value = await SharedValue.open(await ServiceManager.connect({ path: registry }))
    const end = performance.now() + seconds * 1000
    let last = 0
    while (performance.now() < end) await Promise.all(Array.from({ length: WINDOW }, () => value.set(++last)))
    if (value.get() !== last) throw new Error(`the value is ${value.get()} after writing ${last}`)
    return last
  },
})
