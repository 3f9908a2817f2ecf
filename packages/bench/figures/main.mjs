/**
 * `npm run figure -- NAME [--OPTION N ...]`: measures one figure of docs/reliability.md on this machine, and prints what
 * was attempted next to what survived. Exits with 1 if anything did not. Without a name it lists what there is.
 */
import { parseArgs } from 'node:util'
import { describeMachine } from '../dist/src/machine.js'
import * as areaKills from './area-kills.mjs'
import * as areaModel from './area-model.mjs'
import * as areaValues from './area-values.mjs'
import * as connecting from './connecting.mjs'
import * as connections from './connections.mjs'
import * as fairness from './fairness.mjs'
import { Scope } from './lib/scope.mjs'
import * as objects from './objects.mjs'
import * as replicationCuts from './replication-cuts.mjs'
import * as replicationFanOut from './replication-fan-out.mjs'
import * as replicationFaults from './replication-faults.mjs'
import * as replicationRatios from './replication-ratios.mjs'
import * as replicationRelay from './replication-relay.mjs'
import * as restarts from './restarts.mjs'
import * as starts from './starts.mjs'
import * as stoppedWatchers from './stopped-watchers.mjs'
import * as storeFresh from './store-fresh.mjs'
import * as storeMemory from './store-memory.mjs'
import * as storeMoveTimes from './store-move-times.mjs'
import * as storeMoves from './store-moves.mjs'
import * as storeWatchers from './store-watchers.mjs'
import * as takeovers from './takeovers.mjs'
import * as watchers from './watchers.mjs'

const FIGURES = {
  'area-kills': areaKills,
  'area-model': areaModel,
  'area-values': areaValues,
  connecting,
  connections,
  fairness,
  objects,
  watchers,
  'stopped-watchers': stoppedWatchers,
  starts,
  'replication-cuts': replicationCuts,
  'replication-fan-out': replicationFanOut,
  'replication-faults': replicationFaults,
  'replication-ratios': replicationRatios,
  'replication-relay': replicationRelay,
  'store-fresh': storeFresh,
  'store-memory': storeMemory,
  'store-moves': storeMoves,
  'store-move-times': storeMoveTimes,
  'store-watchers': storeWatchers,
  takeovers,
  restarts,
}

function list() {
  for (const [name, { TITLE, DEFAULTS }] of Object.entries(FIGURES)) {
    const options = Object.entries(DEFAULTS).map(([option, value]) => `--${option} ${value}`)
    console.log(`${name} ${options.join(' ')}\n    ${TITLE}`)
  }
}

/** Every option is a number. */
function readOptions(defaults, args) {
  const options = Object.fromEntries(Object.keys(defaults).map((name) => [name, { type: 'string' }]))
  const { values } = parseArgs({ args, options })
  const given = Object.entries(values).map(([name, text]) => [name, Number(text)])
  for (const [name, value] of given) if (!(value > 0)) throw new Error(`--${name} must be a number above 0`)
  return { ...defaults, ...Object.fromEntries(given) }
}

function print(name, options, rows) {
  const { cpu, cores, memoryGiB, kernel, node, commit, date } = describeMachine()
  const command = Object.entries(options).map(([option, value]) => ` --${option} ${value}`)
  console.log(`npm run figure -- ${name}${command.join('')}`)
  console.log(
    `${date.slice(0, 10)}, ${commit}, ${cores} cores of ${cpu}, ${memoryGiB} GiB, Linux ${kernel}, Node ${node}\n`,
  )
  console.log('| what | attempted | survived | |\n| --- | --- | --- | --- |')
  for (const { what, attempted, survived, note = '' } of rows) {
    console.log(`| ${what} | ${grouped(attempted)} | ${grouped(survived)} | ${note} |`)
  }
}

function grouped(number) {
  return number === undefined ? '–' : number.toLocaleString('en-US')
}

async function measure(name, args) {
  const { DEFAULTS, run } = FIGURES[name]
  const options = readOptions(DEFAULTS, args)
  const scope = new Scope()
  try {
    const rows = await run(scope, options)
    print(name, options, rows)
    return rows.every(({ attempted, survived }) => attempted === survived)
  } finally {
    await scope.end()
  }
}

const [name, ...args] = process.argv.slice(2)
if (name === undefined) list()
else if (!Object.hasOwn(FIGURES, name)) {
  console.error(`there is no figure ${name}`)
  list()
  process.exitCode = 2
} else if (!(await measure(name, args))) process.exitCode = 1
