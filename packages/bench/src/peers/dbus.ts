/** A bus of our own: dbus-daemon, a service and a client, both by dbus-next (with usocket, for descriptors). */
import type { Contender, Place } from '../harness/benchmark.ts'
import { type Field, nodeProgram, peer } from '../harness/field.ts'
import type { Program } from '../harness/process.ts'

export function dbus(field: Field, name: string, task: string): Contender[] {
  return peer(field, name, ['dbus-daemon', 'dbus-next'], (peers) => {
    const library = peers.folder('dbus-next')
    return {
      servers: (place) => [busDaemon(place), nodeProgram('dbus-service', library, addressIn(place))],
      client: (place) => nodeProgram('dbus-client', library, addressIn(place)),
      task,
    }
  })
}

function busDaemon(place: Place): Program {
  const argv = ['dbus-daemon', '--session', '--nofork', '--print-address', `--address=${addressIn(place)}`]
  return { argv, ready: /unix:path=/ }
}

function addressIn({ folder }: Place): string {
  return `unix:path=${folder}/bus.sock`
}
