/** Signals to a daemon that has its hands full: the end is clean and told to everybody, and nothing else is an end. */
import { existsSync } from 'node:fs'
import { errorCode, type SharedValue } from '@memsvc/shared'
import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import t, { type Test } from 'tap'
import { openValue, Survival, startMemsvc, warnings } from '../../test-support/index.ts'

const CLIENTS = 20
/** Calls under way at any time, of each. */
const WINDOW = 50

watchdog(t)
leakChecked(t)

/** Writes without a pause until a write fails; answers why. */
async function writeForEver(value: SharedValue): Promise<unknown> {
  try {
    for (let round = 0; ; round++) {
      await Promise.all(Array.from({ length: WINDOW }, (_, i) => value.set((round + i) % 2)))
    }
  } catch (error) {
    return errorCode(error)
  }
}

async function load(t: Test, registry: string): Promise<Promise<unknown>[]> {
  const values = await Promise.all(Array.from({ length: CLIENTS }, () => openValue(t, registry)))
  return values.map(writeForEver)
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  t.test(`${signal} under load: exit 0, no socket, and every call under way fails as a dead object`, async (t) => {
    const { program, registry } = await startMemsvc(t)
    const writers = await load(t, registry)
    program.kill(signal)
    t.match(await program.ending, { code: 0, signal: null, stdout: '' })
    t.strictSame(await Promise.all(writers), Array(CLIENTS).fill('ERR_DEAD_OBJECT'))
    t.notOk(existsSync(registry))
    t.strictSame(warnings(program.stderr.text), [])
  })
}

t.test('signals that are none of its business change nothing under load', async (t) => {
  const daemon = await startMemsvc(t)
  const survival = await Survival.of(t, daemon)
  for (const signal of ['SIGHUP', 'SIGPIPE', 'SIGUSR1', 'SIGCHLD', 'SIGWINCH', 'SIGURG'] as const) {
    daemon.program.kill(signal)
    await survival.checkMeanwhile(t)
  }
  daemon.program.kill('SIGSTOP')
  daemon.program.kill('SIGCONT')
  await survival.check(t)
})
