import { type Benchmark, type Group, type Pinning, ROUND_TRIP } from '../harness/benchmark.ts'
import { contender } from '../harness/contender.ts'
import { type Field, nodeProgram, peer, withDaemon } from '../harness/field.ts'
import { baseline } from '../harness/native.ts'
import { dbus } from '../peers/dbus.ts'

export function handOver(field: Field): Benchmark {
  return {
    name: 'hand-over',
    title: 'Asking for a descriptor and getting it',
    about:
      'Asks for the descriptor on an open connection, and closes it again. memsvc and C open a new read-only file description each time; the others pass the one they have.',
    groups: [group(field, 'two cores', 'split'), group(field, 'one core', 'same')],
  }
}

function group(field: Field, name: string, pinning: Pinning): Group {
  return {
    name,
    pinning,
    base: 'C',
    figures: ROUND_TRIP,
    contenders: [
      contender('C', {
        servers: ({ folder }) => [baseline('attach-server', `${folder}/attach.sock`)],
        client: ({ folder }) => baseline('attach-client', `${folder}/attach.sock`),
        task: 'hand-over',
      }),
      ...withDaemon(field, 'hand-over'),
      ...peer(field, 'usocket', ['usocket'], (peers) => ({
        servers: ({ folder }) => [nodeProgram('usocket', 'server', peers.folder('usocket'), `${folder}/usocket.sock`)],
        client: ({ folder }) => nodeProgram('usocket', 'client', peers.folder('usocket'), `${folder}/usocket.sock`),
        task: 'hand-over',
      })),
      ...dbus(field, 'dbus-next call', 'hand-over'),
    ],
  }
}
