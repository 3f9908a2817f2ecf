import { mock } from 'node:test'
import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import { pino } from 'pino'
import t from 'tap'
import { DAEMON_LIMITS, openConnection, PeerLog, startMemsvc } from '../../test-support/index.ts'

const SHARE = DAEMON_LIMITS.logLinesOfUser.limit
const ALL = DAEMON_LIMITS.logLines.limit

watchdog(t)
leakChecked(t)

function makeLog() {
  const lines: Record<string, unknown>[] = []
  const options = { level: 'debug', base: null, timestamp: false }
  return { log: new PeerLog(pino(options, { write: (line) => lines.push(JSON.parse(line)) })), lines }
}

function warnMany(log: PeerLog, uid: number, count: number): void {
  for (let i = 0; i < count; i++) log.warn({ uid, i }, 'odd')
}

t.test(`${SHARE} lines about one user are written, further ones are counted`, (t) => {
  const { log, lines } = makeLog()
  warnMany(log, 7, SHARE + 1000)
  t.equal(lines.length, SHARE)
  t.strictSame(lines.at(-1), { level: 40, uid: 7, i: SHARE - 1, msg: 'odd' })
  warnMany(log, 8, 1)
  t.match(lines.at(-1), { uid: 8 }, 'another user is heard')
  log.close()
  t.strictSame(lines.at(-1), { level: 40, leftOut: 1000, msg: 'log lines about peers were left out' })
  t.end()
})

t.test(`${ALL} lines about all users together are written`, (t) => {
  const { log, lines } = makeLog()
  for (let uid = 0; uid < ALL; uid++) warnMany(log, uid, 2)
  t.equal(lines.length, ALL)
  log.close()
  t.match(lines.at(-1), { leftOut: ALL })
  t.end()
})

t.test('after a while there is room again, and the number of omitted lines was logged', (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const { log, lines } = makeLog()
  warnMany(log, 7, SHARE + 1)
  mock.timers.tick(DAEMON_LIMITS.logPeriod.limit)
  t.match(lines.at(-1), { leftOut: 1 })
  warnMany(log, 7, 1)
  t.match(lines.at(-1), { uid: 7, i: 0 })
  log.close()
  t.equal(lines.length, SHARE + 2, 'nothing was left out this time')
  t.end()
})

t.test('a fault of the daemon is always told', (t) => {
  const { log, lines } = makeLog()
  warnMany(log, 7, SHARE + 1)
  log.error({ uid: 7 }, 'a bug')
  t.match(lines.at(-1), { level: 50, msg: 'a bug' })
  log.close()
  t.end()
})

t.test('a line about a peer has two pids: the one of the daemon, and the one of the peer', async (t) => {
  const { registry, program } = await startMemsvc(t)
  const peer = openConnection(t, registry)
  peer.send(Buffer.from('no message'))
  const line = await program.stderr.find((line) => line.includes('broke the protocol'))
  t.match(line, `"pid":${program.pid},`)
  t.match(line, `"peerPid":${process.pid},`)
  t.equal(line?.match(/"pid":/g)?.length, 1)
})
