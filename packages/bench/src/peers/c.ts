/** The machine's limit as a contender: an echo over SOCK_SEQPACKET, written in C. */
import type { Contender, Place } from '../harness/benchmark.ts'
import { contender } from '../harness/contender.ts'
import { baseline } from '../harness/native.ts'

export const C_ECHO = 'C echo'

/** `drains`: the server takes all that waits at each wake-up; quickest with many calls in flight on one connection. */
export function cEcho(name: string, task: string, drains = false): Contender {
  const path = ({ folder }: Place) => `${folder}/echo.sock`
  return contender(name, {
    servers: (place) => [baseline('echo-server', path(place), 'seqpacket', drains ? 'drain' : 'one')],
    client: (place) => baseline('echo-client', path(place)),
    task,
  })
}
