/** Reads of a store that moves, in every way, with turns of the event loop and without. */
import { ServiceManager, SharedStore } from '@memsvc/shared'
import { answer } from '../lib/child.mjs'

const STABLE = 50
/** So many reads without a turn. */
const SPIN = 400

let store
let entries
const changes = { last: 0, told: 0 }
const target = Buffer.alloc(64)

function ways(i) {
  const key = `s${i}`
  return {
    get: () => store.get(key)?.i === i,
    'entry.value': () => entries[i].value?.i === i,
    'entry.version': () => entries[i].version > 0n,
    getBytes: () => store.getBytes(key) !== undefined,
    readBytes: () => store.readBytes(key, target) > 0,
    has: () => store.has(key),
    getEntry: () => store.getEntry(key).value?.i === i,
    keys: () => store.keys(key).includes(key),
    snapshot: () => store.snapshot([key]).get(key)?.i === i,
    size: () => store.size >= STABLE + 1,
  }
}

async function follow() {
  for await (const { value } of store.changes('n')) {
    if (value < changes.last) changes.wentBack = true
    changes.last = value
    changes.told += 1
  }
}

answer({
  async open({ registry }) {
    const manager = await ServiceManager.connect({ path: registry })
    store = await SharedStore.open('moving', { manager })
    entries = Array.from({ length: STABLE }, (_, i) => store.entry(`s${i}`))
    void follow()
  },

  async read({ milliseconds }) {
    const end = performance.now() + milliseconds
    const wrong = []
    let [reads, wrongs, last, step, calls] = [0, 0, 0, 0, 0]
    const note = (text) => {
      wrongs += 1
      const { state, version } = store.status
      if (wrong.length < 20) wrong.push(`${text} (${state}, version ${version}, read ${reads})`)
    }
    while (performance.now() < end) {
      for (let i = 0; i < SPIN; i++, step++) {
        const all = Object.entries(ways(step % STABLE))
        const [name, way] = all[step % all.length]
        reads += 1
        if (!way()) note(`${name} of s${step % STABLE}`)
        const now = store.get('n')
        reads += 1
        if (now === undefined || now < last) note(`n is ${now} after ${last}`)
        else last = now
      }
      // Answers and notices come between what says where the values are.
      if (step % 3 === 0) {
        calls += 1
        void store.increment(`c${process.pid % 10}`).catch((error) => note(error.code))
      }
      if (calls % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
      else await new Promise((resolve) => setImmediate(resolve))
    }
    return { reads, wrongs, wrong, told: changes.told }
  },

  async end({ last }) {
    for (let tries = 0; tries < 500 && changes.last !== last; tries++)
      await new Promise((resolve) => setTimeout(resolve, 10))
    return store.get('n') === last && changes.last === last && !changes.wentBack
  },
})
