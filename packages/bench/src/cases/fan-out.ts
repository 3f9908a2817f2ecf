import { type Benchmark, type Group, ROUND_TRIP } from '../harness/benchmark.ts'
import { contender } from '../harness/contender.ts'
import { type Field, nodeProgram } from '../harness/field.ts'
import { baseline } from '../harness/native.ts'

export function fanOut(field: Field): Benchmark {
  return {
    name: 'fan-out',
    title: 'Telling many at once',
    about:
      'Sends one packet to N sockets, measured in the sending process: one native call against a loop in JavaScript. Receiving is not timed. C shows what the kernel alone takes: no native call can take less.',
    groups: field.checkouts.flatMap(({ label, root }) => [100, 1000].map((watchers) => group(label, root, watchers))),
  }
}

function group(label: string, root: string, watchers: number): Group {
  const telling = (name: string, task: string) =>
    contender(name, { client: () => nodeProgram('fan-out', root, watchers), task })
  return {
    name: label === 'memsvc' ? `${watchers} sockets` : `${label}, ${watchers} sockets`,
    pinning: 'split',
    base: 'sends from JavaScript',
    figures: ROUND_TRIP,
    contenders: [
      telling('sends from JavaScript', 'sends'),
      telling('one native call', 'broadcast'),
      contender('C', { client: () => baseline('fan-out', watchers), task: 'broadcast' }),
    ],
  }
}
