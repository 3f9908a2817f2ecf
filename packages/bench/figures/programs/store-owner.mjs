/** The owner of a store whose values move: to areas of other sizes, to areas for other readers, and because their places are too small. */
import { OwnedStore, ServiceManager } from '@memsvc/shared'
import { answer } from '../lib/child.mjs'

const MIB = 1024 * 1024
const STABLE = 50
const ALL = () => true
const RULES = [
  [{ keys: ['*'], mayRead: ALL }],
  [
    { keys: ['s1*', 'b/*'], mayRead: ALL },
    { keys: ['*'], mayRead: ALL },
  ],
]

/** Each sixth time the ranges of versions rise, of which there are 1,024. */
const MOST_MOVES = 6000

let store
let moves = 0

/** Every kind of move, and puts and deletes between them. */
function moveOnce(step) {
  if (step % 3 === 0) store.resize({ capacity: 6 * MIB + (step % 5) * 4096 })
  else if (step % 3 === 1) store.setAreas(RULES[step % 2].map(({ keys }) => ({ keys, mayRead: () => true })))
  else store.resize({ maxKeys: 4096 + (step % 7) })
  moves += 1
}

function churn(step) {
  for (let i = 0; i < 20; i++) store.set(`b/${i}`, Buffer.alloc((step * 37 + i * 991) % 20_000))
  for (let i = 0; i < 20; i += 3) store.delete(`b/${i}`)
}

answer({
  async publish({ registry }) {
    store = new OwnedStore({ capacity: 6 * MIB, maxKeys: 4096 })
    for (let i = 0; i < STABLE; i++) store.set(`s${i}`, { i })
    store.set('n', 0)
    const manager = await ServiceManager.connect({ path: registry })
    await manager.addService('moving', store.binder)
  },

  async move({ milliseconds }) {
    const end = performance.now() + milliseconds
    let last = 0
    for (let step = 0; step < MOST_MOVES && performance.now() < end; step++) {
      moveOnce(step)
      store.set('n', ++last)
      if (step % 4 === 0) churn(step)
      // Now and then several in one turn.
      if (step % 5 > 0) await new Promise((resolve) => setImmediate(resolve))
    }
    return { moves, last }
  },
})
