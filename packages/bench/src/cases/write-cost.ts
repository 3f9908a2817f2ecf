import { type Benchmark, type Contender, type Group, ROUND_TRIP } from '../harness/benchmark.ts'
import { Cast } from '../harness/contender.ts'
import { type Checkout, daemonOf, type Field, nodeProgram, registryIn } from '../harness/field.ts'
import { baseline } from '../harness/native.ts'

const READERS = [0, 10, 50]

export function writeCost(field: Field): Benchmark {
  return {
    name: 'write-cost',
    title: 'What a write costs as the readers grow in number',
    about:
      'The round trip of `setValue` while N processes have the region mapped. It must not grow with N: the daemon tells nobody who did not ask.',
    groups: field.checkouts.map((checkout) => group(checkout)),
  }
}

function group(checkout: Checkout): Group {
  return {
    name: checkout.label,
    pinning: 'split',
    base: nameOf(0),
    figures: ROUND_TRIP,
    contenders: READERS.map((readers) => withReaders(checkout, readers)),
  }
}

function nameOf(readers: number): string {
  return `${readers} readers`
}

function withReaders(checkout: Checkout, readers: number): Contender {
  return {
    name: nameOf(readers),
    open: async (place) => {
      const registry = registryIn(place.folder)
      const cast = await Cast.start([
        { program: daemonOf(checkout, place), cpu: place.serverCpu },
        { program: baseline('readers', registry, readers), cpu: place.serverCpu },
      ])
      return cast.subject(await cast.add(nodeProgram('memsvc-client', checkout.root, registry), place.clientCpu), 'set')
    },
  }
}
