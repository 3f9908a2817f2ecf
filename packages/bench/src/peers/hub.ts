/** What memsvc itself rests on, alone: the hub of memfd-native, echoing. What is left between it and memsvc is memsvc's. */
import type { Contender, Place } from '../harness/benchmark.ts'
import { contender } from '../harness/contender.ts'
import { type Checkout, type Field, nodeProgram } from '../harness/field.ts'
import type { Program } from '../harness/process.ts'

const HUB_ALONE = 'memfd-native alone'

const path = ({ folder }: Place) => `${folder}/hub.sock`

/** @param client by default its own, by promises */
export function hubAlone(field: Field, task: string, client?: (path: string) => Program): Contender {
  const { root } = field.checkouts.at(-1) as Checkout
  return contender(HUB_ALONE, {
    servers: (place) => [nodeProgram('hub-echo', root, 'server', path(place))],
    client: (place) => client?.(path(place)) ?? nodeProgram('hub-echo', root, 'client', path(place)),
    task,
  })
}

/** The same for attaching. */
export function hubAttach(field: Field): Contender {
  const { root } = field.checkouts.at(-1) as Checkout
  return contender(HUB_ALONE, {
    servers: (place) => [nodeProgram('hub-attach', root, 'server', path(place))],
    client: (place) => nodeProgram('hub-attach', root, 'client', path(place)),
    task: 'attach',
  })
}
