import { fileURLToPath } from 'node:url'
import { newRegistryPath, OTHER_UID, runProgram, startCommand } from '@memsvc/shared/test-support'
import { startDaemon } from './lib/daemon.mjs'
import { percentiles, ratio } from './lib/numbers.mjs'

export const TITLE =
  "another user's `memclient read` beside processes of one uid that connect and close as fast as they can (needs root)"
export const DEFAULTS = { processes: 4, rounds: 3, reads: 10 }

const PROGRAM = fileURLToPath(new URL('programs/connection-flood.py', import.meta.url))
const MEMCLIENT = fileURLToPath(new URL('../../client-cli/bin/memclient.cjs', import.meta.url))
const FLOODER_UID = 1234
const OPEN_DIRECTORY = 0o711
/** Milliseconds: until the first burst is over. */
const WARM_UP_MS = 1000
const MOST_TIMES = 3

/** Beside each kind in turn, several times: what else the machine does meets all of them. */
export async function run(scope, { processes, rounds, reads }) {
  const registry = newRegistryPath(scope, OPEN_DIRECTORY)
  await startDaemon(scope, {}, { registry, args: ['--socket-mode', '666'] })
  const kinds = ['burn', 'close', 'hello']
  const durations = new Map(kinds.map((kind) => [kind, []]))
  let failed = 0
  for (let round = 0; round < rounds; round++) {
    for (const kind of kinds) failed += await measure({ registry, kind, processes, reads }, durations.get(kind))
  }
  const base = percentiles(durations.get('burn'))
  const rows = kinds.map((kind) => {
    const { p50, text } = percentiles(durations.get(kind))
    const isWithin = p50 <= MOST_TIMES * base.p50
    return {
      what: kind === 'burn' ? 'medians beside processes that burn processor time' : `medians beside "connect, ${kind}"`,
      attempted: 1,
      survived: isWithin ? 1 : 0,
      note: `${text}; ${ratio(p50, base.p50)} that beside burning`,
    }
  })
  const all = kinds.length * rounds * reads
  return [{ what: 'reads of another user', attempted: all, survived: all - failed }, ...rows]
}

/** @returns how many failed */
async function measure({ registry, kind, processes, reads }, durations) {
  const command = ['python3', PROGRAM, registry, kind]
  const others = Array.from({ length: processes }, () => startCommand(command, { uid: FLOODER_UID }))
  let failed = 0
  try {
    await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS))
    for (let i = 0; i < reads; i++) {
      const begin = performance.now()
      const { code } = await runProgram(MEMCLIENT, ['read', '--registry', registry], { uid: OTHER_UID })
      durations.push(performance.now() - begin)
      if (code !== 0) failed += 1
    }
  } finally {
    await Promise.all(others.map((other) => other.destroy()))
  }
  return failed
}
