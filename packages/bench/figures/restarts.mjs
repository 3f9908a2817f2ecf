import { DEFAULT_SERVICE_NAME } from '@memsvc/shared'
import { newRegistryPath, startProgram } from '@memsvc/shared/test-support'
import { MEMSVC, readSoon } from './lib/daemon.mjs'
import { percentiles } from './lib/numbers.mjs'

export const TITLE = 'kill -9 and a new start at the same path: until a new client has read the value'
export const DEFAULTS = { rounds: 200 }

export async function run(scope, { rounds }) {
  const registry = newRegistryPath(scope)
  const durations = []
  for (let round = 0; round < rounds; round++) {
    const begin = performance.now()
    const program = startProgram(MEMSVC, ['start', '--registry', registry])
    const values = await readSoon(registry, [DEFAULT_SERVICE_NAME])
    if (values?.[0] === 0) durations.push(performance.now() - begin)
    await program.destroy()
  }
  const note = percentiles(durations).text
  return [{ what: 'restarts after kill -9', attempted: rounds, survived: durations.length, note }]
}
