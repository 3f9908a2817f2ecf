/** What is looked for and what is kept where there are more keys than a reader keeps. */
import t from 'tap'
import { PassingReads } from '../../src/store/passing-reads.ts'
import type { StoredValue } from '../../src/store/stored-value.ts'

/** Of a cache: which keys it has, and how often it was looked into. */
function cacheOf(...keys: string[]) {
  const cache = { keys: new Set(keys), looks: 0, get: (key: string) => look(key) }
  const look = (key: string): StoredValue | undefined => {
    cache.looks += 1
    return cache.keys.has(key) ? ({} as StoredValue) : undefined
  }
  return cache
}

type Cache = ReturnType<typeof cacheOf>

/** Of so many reads of other keys: how many were kept. */
function readCold(passing: PassingReads, cache: Cache, count: number): number {
  let kept = 0
  for (let i = 0; i < count; i++) kept += Number(!passing.isPassing(`cold${i}`, cache as never))
  return kept
}

t.test('if keys are read in no order, one in 256 is looked up and kept', async (t) => {
  const [passing, cache] = [new PassingReads(), cacheOf()]
  t.equal(readCold(passing, cache, 25_600), 100)
  t.ok(cache.looks < 200, `${cache.looks}`)
})

t.test('a key that is kept is found again soon, and at once where most are kept', async (t) => {
  const [passing, cache] = [new PassingReads(), cacheOf('hot')]
  t.equal(passing.isPassing('hot', cache as never), false)
  readCold(passing, cache, 1000)
  let tries = 1
  while (passing.isPassing('hot', cache as never)) tries += 1
  t.ok(tries <= 256, `${tries}`)
  for (let i = 0; i < 100; i++) t.equal(passing.isPassing('hot', cache as never), false)
  for (let i = 0; i < 50; i++) {
    readCold(passing, cache, 1)
    t.equal(passing.isPassing('hot', cache as never), false, 'also between others')
  }
})
