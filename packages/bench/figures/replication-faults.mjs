import { Progress } from './lib/progress.mjs'
import { loadReplication } from './lib/replication.mjs'
import { Scope } from './lib/scope.mjs'

export const TITLE =
  'random faults of an etcd cluster of three nodes and three machines that copy it: each followed by a comparison, key by key'
/** `each`: faults of one cluster, before the next one is begun. `milliseconds`: the longest that one lasts. */
export const DEFAULTS = { faults: 1000, each: 25, milliseconds: 4000, seed: 1 }

export async function run(_scope, options) {
  const { faults, each, milliseconds, seed } = options
  const progress = new Progress('replication-faults', options)
  let tally = progress.of('tally', { faults: 0, acknowledged: 0, looks: 0 })
  while (tally.faults < faults) {
    const count = Math.min(each, faults - tally.faults)
    const chunk = await soak(count, { longestMs: milliseconds, random: randomOf(seed * 1_000_003 + tally.faults) })
    tally = sum(tally, chunk)
    progress.save('tally', tally)
    if (process.stderr.isTTY) process.stderr.write(`\r${tally.faults} of ${faults} faults`)
  }
  progress.end()
  return rows(tally)
}

async function soak(faults, options) {
  const { Soak } = await loadReplication()
  const scope = new Scope()
  try {
    const soak = await Soak.begin(scope, options)
    await soak.run(faults)
    for (const what of soak.wrong) console.error(what)
    return soak.tally
  } finally {
    await scope.end()
  }
}

function rows({ faults, acknowledged, looks, different, wentBack, staleButLive, doubled }) {
  return [
    {
      what: 'faults after which every copy was the cluster, keys, values and revisions',
      attempted: faults,
      survived: faults - different,
    },
    {
      what: 'values read meanwhile that were not older than one seen before',
      attempted: looks,
      survived: looks - wentBack,
    },
    {
      what: 'values read meanwhile that were as new as the copy said',
      attempted: looks,
      survived: looks - staleButLive,
    },
    {
      what: 'changes acknowledged meanwhile, no compare-and-set made twice',
      attempted: acknowledged,
      survived: acknowledged - doubled,
    },
  ]
}

function sum(before, more) {
  return Object.fromEntries(Object.entries(more).map(([name, count]) => [name, count + (before[name] ?? 0)]))
}

/** Integers below a number, that a seed repeats (mulberry32). */
function randomOf(seed) {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return { int: (below) => Math.floor(next() * below) }
}
