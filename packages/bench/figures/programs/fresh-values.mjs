/** Sets values, or looks whether they are there: of a store, or of lmdb with its cache of objects. */
import { createRequire } from 'node:module'
import { SharedStore } from '@memsvc/shared'
import { answer } from '../lib/child.mjs'

/** So many calls under way. */
const WINDOW = 100

let put
let get

async function openStore(path) {
  const store = await SharedStore.open(undefined, { path })
  put = (key, value) => store.set(key, value)
  get = (key) => store.get(key)
}

function openLmdb(path) {
  const { open } = createRequire(new URL('../../../memory-service/', import.meta.url))('lmdb')
  const database = open({ path, cache: true })
  put = (key, value) => database.putSync(key, value)
  get = (key) => database.get(key)
}

answer({
  async open({ kind, place }) {
    if (kind === 'store') await openStore(place)
    else openLmdb(place)
  },

  /** Resolves when all of them are set. */
  async set({ from, count, keys }) {
    for (let at = from; at < from + count; at += WINDOW) {
      const some = Math.min(WINDOW, from + count - at)
      await Promise.all(Array.from({ length: some }, (_, i) => put(`k${(at + i) % keys}`, { at: at + i })))
    }
  },

  /** How many of them are there. */
  look({ from, count, keys }) {
    let fresh = 0
    for (let at = from; at < from + count; at++) if (get(`k${at % keys}`)?.at === at) fresh += 1
    return fresh
  },
})
