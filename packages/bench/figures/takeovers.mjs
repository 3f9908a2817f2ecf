import { controlOf } from '@memsvc/shared/internal'
import { newRegistryPath } from '@memsvc/shared/test-support'
import { readSoon, startDaemon, withValue } from './lib/daemon.mjs'
import { percentiles } from './lib/numbers.mjs'

export const TITLE = 'kill -9 of the daemon that hosts the registry: the others serve the same names, with their values'
export const DEFAULTS = { rounds: 200, daemons: 3 }

export async function run(scope, { rounds, daemons }) {
  const registry = newRegistryPath(scope)
  const running = new Map()
  const start = async (name) => {
    const { program } = await startDaemon(scope, {}, { registry, args: ['--name', name] })
    running.set(name, program)
  }
  for (let i = 0; i < daemons; i++) await start(`service-${i}`)

  const durations = []
  let right = 0
  for (let round = 1; round <= rounds; round++) {
    const host = await writeAll(registry, [...running.keys()], round)
    await running.get(host).destroy()
    running.delete(host)
    const names = [...running.keys()]
    const begin = performance.now()
    const values = await readSoon(registry, names)
    if (values !== null) durations.push(performance.now() - begin)
    if (values?.every((value, i) => value === expectedValue(names[i], round))) right += 1
    await start(host)
  }
  const others = daemons - 1
  return [
    {
      what: `takeovers, the ${others} other names back`,
      attempted: rounds,
      survived: durations.length,
      note: percentiles(durations).text,
    },
    { what: 'takeovers after which each name had its value', attempted: rounds, survived: right },
  ]
}

/** Writes a value for each name and round, so that a mix-up shows. @returns the name of the host */
async function writeAll(registry, names, round) {
  let host
  for (const name of names) {
    await withValue(registry, name, async (value) => {
      await value.set(expectedValue(name, round))
      const status = JSON.parse(await (await controlOf(value.binder)).status())
      if (status.host) host = name
    })
  }
  return host
}

function expectedValue(name, round) {
  return 1000 * round + Number(name.replace('service-', ''))
}
