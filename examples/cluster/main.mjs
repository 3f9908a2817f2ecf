/**
 * Three web servers, one rate limit: `node main.mjs`. Tells the story of a cable that is pulled and plugged in again. With `--by-hand` the
 * machines are yours.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { playByHand } from './by-hand.mjs'
import { startMachines } from './machines.mjs'

const KEY = 'limits.rps'
const { values: options } = parseArgs({ options: { 'by-hand': { type: 'boolean', default: false } } })

const { machines, end } = await startMachines()
if (options['by-hand']) await playByHand(machines)
else await tell(machines)
end()
process.exit(0)

async function tell([first, second, third]) {
  await run(first, 'put', KEY, '500', '--store', 'ClusterStore')
  await until(third, '500', 'read', KEY, '--wait')
  await run(first, 'write', '400', KEY)
  for (const machine of [second, third]) await until(machine, '400', 'read', KEY)
  console.log('\n# the cable of machine-3 is pulled')
  third.pull()
  await run(first, 'write', '300', KEY)
  await untilCode(third, 5, 'get', KEY, '--store', 'ClusterStore', '--max-age', '5s')
  await run(third, 'get', KEY, '--store', 'ClusterStore', '--json')
  await run(third, 'read', KEY)
  await run(third, 'write', '1', KEY)
  console.log('\n# it is plugged in again')
  await third.plugIn()
  await until(third, '300', 'read', KEY)
  await untilCode(third, 0, 'get', KEY, '--store', 'ClusterStore', '--max-age', '5s')
  await run(third, 'write', '200', KEY)
  await until(second, '200', 'read', KEY)
}

async function run(machine, ...args) {
  show(machine, args, await machine.memclient(...args))
}

/** Asks until it answers so. */
async function until(machine, text, ...args) {
  await ask(machine, args, (answer) => answer.text === text)
}

async function untilCode(machine, code, ...args) {
  await ask(machine, args, (answer) => answer.code === code)
}

async function ask(machine, args, isIt) {
  for (;;) {
    const answer = await machine.memclient(...args)
    if (isIt(answer)) return show(machine, args, answer)
    await delay(100)
  }
}

function show({ name }, args, { text, code }) {
  console.log(`${name}$ memclient ${args.join(' ')}`)
  if (text !== '') console.log(text.replace(/^/gm, '  '))
  if (code !== 0) console.log(`  (exit ${code})`)
}
