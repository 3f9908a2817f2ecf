/** A daemon without a descriptor left: it neither ends nor spins, serves who was there, and everybody as soon as it can. */

import { ServiceManager } from '@memsvc/shared'
import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import * as support from '../../test-support/index.ts'

const CLIENTS = 50
/** So many of them find a descriptor. */
const ROOM = 20
const STALL_MS = 1500
/** A listener that is looked at again and again takes the whole of a processor. */
const MOST_OF_A_PROCESSOR = 0.5

watchdog(t)
leakChecked(t)

t.test('out of descriptors', async (t) => {
  const daemon = await support.startMemsvc(t)
  const { pid, stderr } = daemon.program
  const survival = await support.Survival.of(t, daemon)
  // Its own limits would keep it from this, so it is taken by surprise.
  const taken = survival.holdings.fds
  t.equal(support.nodeChildProcess.spawnSync('prlimit', [`--pid=${pid}`, `--nofile=${taken + ROOM}:20000`]).status, 0)

  const managers = await Promise.all(
    Array.from({ length: CLIENTS }, () => ServiceManager.connect({ path: daemon.registry })),
  )
  const answers = managers.map((manager) => manager.listServices())
  await stderr.find((line) => line.includes('cannot accept connections'))
  const before = support.processorTime(pid)
  await support.nodeTimers.setTimeout(STALL_MS)
  const load = (support.processorTime(pid) - before) / STALL_MS
  t.ok(load < MOST_OF_A_PROCESSOR, `it used ${Math.round(100 * load)} % of a processor, also for the canary`)
  await survival.checkMeanwhile(t, { newClients: false })
  const lines = stderr.text.split('\n').filter((line) => line.includes('cannot accept connections'))
  t.equal(lines.length, 1, 'an outage is one line of log')

  t.equal(support.nodeChildProcess.spawnSync('prlimit', [`--pid=${pid}`, '--nofile=1000:20000']).status, 0)
  for (const answer of answers) t.strictSame(await answer, support.OWN_NAMES, 'in the end it is served')
  for (const manager of managers) manager.close()
  await survival.check(t)
})

t.test('memclient with few descriptors reads the value, or says in one line why not', async (t) => {
  const { registry } = await support.startMemsvc(t)
  const codes = new Set<number | null>()
  for (let count = fewestForNode(); !codes.has(0); count++) {
    const { code, signal, stdout, stderr } = await support.memclient(registry, ['read'], {
      prefix: ['prlimit', `--nofile=${count}`],
    })
    codes.add(code)
    t.equal(signal, null, `with ${count}`)
    if (code === 0) t.match({ stdout, stderr }, { stdout: '0', stderr: '' })
    else t.match({ code, stdout, stderr }, { code: 1, stdout: '', stderr: /^memclient: .*(EMFILE|no room for more)$/ })
  }
})

/** With fewer Node itself does not start, or cannot read its program. */
function fewestForNode(): number {
  for (let count = 16; ; count++) {
    const { status } = support.nodeChildProcess.spawnSync('prlimit', [
      `--nofile=${count}`,
      process.execPath,
      support.MEMCLIENT,
      '--help',
    ])
    if (status === 0) return count
  }
}
