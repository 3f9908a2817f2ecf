import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { DEFAULT_SERVICE_NAME } from '@memsvc/shared'
import { controlOf } from '@memsvc/shared/internal'
import { newRegistryPath } from '@memsvc/shared/test-support'
import { CanaryProcess, startDaemon, valuesRead, withValue } from './lib/daemon.mjs'
import { Hostile } from './lib/hostile.mjs'
import { mebibytes } from './lib/numbers.mjs'
import { Scope } from './lib/scope.mjs'

export const TITLE =
  'binders that one foreign uid sends by many connections: what the daemon keeps of them (needs root)'
/** Of each connection; `way` 0: all, otherwise the number of one, from 1. */
export const DEFAULTS = { connections: 900, binders: 4000, way: 0 }

const MAX_GROWTH = 64 * 2 ** 20
const WARM_UP_MS = 2000
const POLL_MS = 50
const PATIENCE_MS = 10_000
const OPEN_DIRECTORY = 0o711

/** Each way has a daemon of its own: what V8 keeps of one would be seen in the next. */
export async function run(scope, { connections, binders, way }) {
  const counts = [String(connections), String(binders)]
  const all = await waysOf(scope, counts)
  const ways = all.filter((_, i) => way === 0 || i === way - 1)
  const seen = []
  for (const each of ways) seen.push({ each, ...(await withDaemon(each, counts)) })
  const worst = (of) => seen.reduce((one, other) => (one[of] >= other[of] ? one : other))
  const [grown, left] = [worst('grown'), worst('left')]
  const reads = seen.reduce((sum, { rounds }) => sum + rounds, 0)

  const sent = `ways to send ${binders.toLocaleString('en-US')} binders by each of ${connections} connections`
  return [
    {
      what: `${sent} that cost at most ${mebibytes(MAX_GROWTH)}, connections included`,
      attempted: ways.length,
      survived: seen.filter(({ grown }) => grown <= MAX_GROWTH).length,
      note: `at most ${mebibytes(grown.grown)} (${nameOf(grown.each)})`,
    },
    {
      what: 'the same, nothing counted when the connections are gone',
      attempted: ways.length,
      survived: seen.filter(({ isClear }) => isClear).length,
      note: `resident until V8 and malloc need it otherwise: at most ${mebibytes(left.left)} (${nameOf(left.each)})`,
    },
    valuesRead(reads),
  ]
}

/** The hostile program knows them; it connects to nobody before it is asked to. */
async function waysOf(scope, counts) {
  return JSON.parse(await new Hostile(scope, ['binders', '/nowhere', ...counts]).next())
}

async function withDaemon(way, counts) {
  const scope = new Scope()
  try {
    const registry = newRegistryPath(scope, OPEN_DIRECTORY)
    const { program } = await startDaemon(scope, {}, { registry, args: ['--socket-mode', '666'] })
    const canary = new CanaryProcess(scope)
    await canary.start(registry)
    const hostile = new Hostile(scope, ['binders', registry, ...counts])
    await hostile.next()
    await delay(WARM_UP_MS)
    const base = { used: await usedOf(registry), memory: memoryOf(program.pid).now }
    const seen = await attack({ hostile, registry, base, program }, way)
    return { ...seen, left: memoryOf(program.pid).now - base.memory, rounds: (await canary.look()).rounds }
  } finally {
    await scope.end()
  }
}

/** Sends, reads, and goes. The peak is the kernel's. */
async function attack({ hostile, registry, base, program }, way) {
  writeFileSync(`/proc/${program.pid}/clear_refs`, '5')
  const sent = await hostile.ask(way)
  const alive = await hostile.ask('read')
  const held = await usedOf(registry)
  const grown = memoryOf(program.pid).peak - base.memory
  await hostile.ask('go')
  const isClear = await clears(registry, base)
  console.error(
    `${nameOf(way)}: ${mebibytes(grown)}, ${held.objects} objects held, ${sent} sent all, ${alive} live on` +
      (isClear ? '' : `; left: ${JSON.stringify(await usedOf(registry))}`),
  )
  return { grown, isClear }
}

/** The ledger says what it said before anybody came. */
async function clears(registry, { used }) {
  const deadline = performance.now() + PATIENCE_MS
  while (performance.now() < deadline) {
    const left = await usedOf(registry)
    // What the canary is just being sent may be among the first and not among the second.
    if (Object.keys(used).every((resource) => left[resource] <= used[resource])) return true
    await delay(POLL_MS)
  }
  return false
}

function usedOf(registry) {
  return withValue(
    registry,
    DEFAULT_SERVICE_NAME,
    async ({ binder }) => JSON.parse(await (await controlOf(binder)).status()).used,
  )
}

/** Resident, bytes: now, and at most since it was reset. */
function memoryOf(pid) {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8')
  const bytes = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)[1]) * 1024
  return { now: bytes('VmRSS'), peak: bytes('VmHWM') }
}

function nameOf(way) {
  return way.replace('\t', ': ')
}
