/** Watchers beside an owner that writes, deletes, grows and divides its keys anew in random order: none misses the last change of a key. */
import t, { type Test } from 'tap'
import type { SharedStore } from '../../src/index.ts'
import { leakChecked, publishedStore, seededRandom, watchdog } from '../../test-support/index.ts'

leakChecked(t)
watchdog(t)

interface Told {
  readonly value: unknown
  readonly version: bigint
}

/** What a loop takes the store for, that now and then has other things to do. */
class Watcher {
  readonly prefix: string
  readonly known = new Map<string, Told>()
  readonly twice: string[] = []
  #wake: () => void = () => undefined

  constructor(store: SharedStore, prefix: string, isBusy: () => boolean) {
    this.prefix = prefix
    void this.#run(store, isBusy)
  }

  /** Waits until it knows what the store has: for ever, if it has missed something. */
  async until(store: SharedStore, mark: number): Promise<void> {
    // What was written last mostly comes last: until then there is nothing to compare.
    while (this.known.get(`${this.prefix}end`)?.value !== mark || !this.#isUpToDate(store))
      await new Promise<void>((resolve) => (this.#wake = resolve))
  }

  #isUpToDate(store: SharedStore): boolean {
    const entries = store.entries(this.prefix)
    return entries.length === this.known.size && entries.every(([key, value]) => this.known.get(key)?.value === value)
  }

  async #run(store: SharedStore, isBusy: () => boolean): Promise<void> {
    for await (const { key, value, version } of store.changes(this.prefix)) {
      if (this.known.get(key)?.version === version) this.twice.push(key)
      if (value === undefined) this.known.delete(key)
      else this.known.set(key, { value, version })
      this.#wake()
      if (isBusy()) await new Promise(setImmediate)
    }
  }
}

const PATTERNS = ['a/*', 'b/*', 'a/1*', 'c/*']

async function runOne(t: Test): Promise<void> {
  const random = seededRandom(t)
  const { owner, store } = await publishedStore(t, { capacity: 16 * 1024 * 1024, maxKeys: 10_000 })
  const watchers = ['', 'a/', 'b/'].map((prefix) => new Watcher(store, prefix, () => random.int(100) === 0))
  const chosen = () => [...PATTERNS.filter(() => random.int(2) === 0), '*'].map((pattern) => ({ keys: [pattern] }))
  const write = () => {
    for (let i = random.int(3) === 0 ? random.int(3000) : random.int(60); i > 0; i--) {
      const key = `${'abc'[random.int(3)]}/${random.int(2000)}`
      if (random.int(4) === 0) owner.delete(key)
      else owner.set(key, random.int(1_000_000))
    }
  }
  let mark = 0
  const settle = async () => {
    mark += 1
    for (const { prefix } of watchers) owner.set(`${prefix}end`, mark)
    for (const watcher of watchers) await watcher.until(store, mark)
  }
  const steps: (() => void | Promise<void>)[] = [
    () => owner.setAreas(chosen()),
    () => owner.setAreasInTurns(chosen()),
    () => owner.resize({ capacity: (8 + random.int(16)) * 1024 * 1024 }),
    settle,
  ]
  for (let step = 0; step < 20; step++) {
    write()
    await steps[random.int(2 * steps.length)]?.()
    if (random.int(2) === 0) await new Promise(setImmediate)
  }
  await settle()
  for (const { twice } of watchers) t.same(twice, [])
}

for (const round of [1, 2]) {
  t.test(`no watcher misses anything, and none is told anything twice (${round})`, runOne)
}
