import { OwnedStore } from '@memsvc/shared'

export const TITLE = 'how long a move to another area takes, of an area of the default size that is nearly full'
/** `keys`: as many as a store has by default; with as many bytes each as fit. */
export const DEFAULTS = { keys: 65_000, rounds: 5 }

const MIB = 1024 * 1024
/** By the house: no turn of the event loop is longer. */
const MAX_MS = 100
/** Of 64 MiB. */
const FILL = 0.7

export function run(scope, { keys, rounds }) {
  return [keys, 1000, 10].map((count) => moving(scope, count, rounds))
}

function moving(scope, keys, rounds) {
  const store = new OwnedStore()
  scope.teardown(() => store.close())
  const value = Buffer.alloc(Math.min(Math.floor((FILL * 64 * MIB) / keys / 1.25), 16 * MIB) - 64, 1)
  for (let i = 0; i < keys; i++) store.set(`k${i}`, value)
  const times = []
  for (let round = 0; round < rounds; round++) {
    const begin = performance.now()
    store.resize({ capacity: store.areaSize.capacity })
    times.push(performance.now() - begin)
  }
  times.sort((a, b) => a - b)
  const median = times[times.length >> 1]
  const { usedBytes } = store.stats
  return {
    what: `a move of ${keys.toLocaleString('en-US')} keys in at most ${MAX_MS} ms`,
    attempted: 1,
    survived: Number(median <= MAX_MS),
    note: `${median.toFixed(0)} ms, at the worst ${times.at(-1).toFixed(0)}; ${Math.round(usedBytes / MIB)} MiB in use`,
  }
}
