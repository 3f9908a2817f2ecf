import { newRegistryPath, startProgram } from '@memsvc/shared/test-support'
import { MEMSVC } from './lib/daemon.mjs'

export const TITLE = 'daemons started at once under one name: exactly one of them serves, the others end with 1'
export const DEFAULTS = { rounds: 1000, starters: 20 }

export async function run(scope, { rounds, starters }) {
  const registry = newRegistryPath(scope)
  let right = 0
  for (let round = 0; round < rounds; round++) if (await race(registry, starters)) right += 1
  return [{ what: `races of ${starters} with one winner`, attempted: rounds, survived: right }]
}

/** All at the same path, where the winner of the last race has left its socket. */
async function race(registry, starters) {
  const programs = Array.from({ length: starters }, () => startProgram(MEMSVC, ['start', '--registry', registry]))
  const areReady = await Promise.all(
    programs.map(({ stderr }) => stderr.find((line) => line.includes('"msg":"ready"'))),
  )
  const winners = programs.filter((_, i) => areReady[i] !== null)
  const losers = programs.filter((_, i) => areReady[i] === null)
  const endings = await Promise.all(losers.map(({ ending }) => ending))
  const isRight = winners.length === 1 && endings.every(({ code }) => code === 1)
  if (!isRight) console.error(endings.map(({ code, stderr }) => `exit ${code}\n${stderr}`).join('\n'))
  await Promise.all(winners.map((winner) => winner.destroy()))
  return isRight
}
