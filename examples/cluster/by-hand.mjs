/** The machines, for whoever sits here: their registries, and words that pull cables. */
import { createInterface } from 'node:readline'

const HELP = 'pull N, plug N: the cable of a machine; quit'

export async function playByHand(machines) {
  console.log('In other terminals, as if you were on one of the machines:\n')
  for (const { name, registry } of machines) console.log(`  export MEMSVC_REGISTRY=${registry}  # ${name}`)
  console.log('\n  memclient put limits.rps 500 --store ClusterStore')
  console.log('  memclient watch limits.rps --wait')
  console.log('  memclient get limits.rps --store ClusterStore --max-age 5s')
  console.log('  memsvc status ClusterStore')
  console.log(`\nHere: ${HELP}`)
  for await (const line of createInterface({ input: process.stdin })) {
    const [word, number] = line.trim().split(/\s+/)
    const machine = machines[Number(number) - 1]
    if (word === 'quit') return
    if (word === 'pull' && machine) machine.pull()
    else if (word === 'plug' && machine) await machine.plugIn()
    else console.log(HELP)
  }
}
