/** node:net over a Unix socket: what comes with Node. */
import type { Contender, Place } from '../harness/benchmark.ts'
import { contender } from '../harness/contender.ts'
import { type Field, nodeProgram } from '../harness/field.ts'

/** See programs/net-server.ts. */
export type NetMode = 'each' | 'packed' | 'json'

export function net({ peers }: Field, name: string, task: string, mode: NetMode): Contender[] {
  if (peers === null) return []
  const path = ({ folder }: Place) => `${folder}/net.sock`
  return [
    contender(name, {
      servers: (place) => [nodeProgram('net-server', path(place), mode)],
      client: (place) => nodeProgram('net-client', path(place), mode),
      task,
    }),
  ]
}
