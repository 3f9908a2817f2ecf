/** Priorities for the journal: a file in its place, which JOURNAL_STREAM names. */

import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import * as native from 'memfd-native'
import t, { type Test } from 'tap'
import { isJournal } from '../../src/systemd/journal.ts'
import { DaemonLog, nodeFs, nodeOs, nodePath } from '../../test-support/index.ts'

watchdog(t)
leakChecked(t)

function openFile(t: Test): { path: string; fd: number; stream: string } {
  const folder = nodeFs.mkdtempSync(nodePath.join(nodeOs.tmpdir(), 'memsvc-'))
  const path = nodePath.join(folder, 'log')
  const fd = nodeFs.openSync(path, 'a')
  t.teardown(() => {
    nodeFs.closeSync(fd)
    nodeFs.rmSync(folder, { recursive: true })
  })
  const { dev, ino } = nodeFs.fstatSync(fd, { bigint: true })
  return { path, fd, stream: `${dev}:${ino}` }
}

/** One line of each level, lowest first. */
function logAll(fd: number): void {
  const log = new DaemonLog('trace', { fd })
  for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const) log.logger[level]('said')
  log.close()
}

t.test('only the file that JOURNAL_STREAM names is the journal', async (t) => {
  const { fd, stream } = openFile(t)
  t.equal(isJournal({ JOURNAL_STREAM: stream }, fd), true)
  t.equal(isJournal({ JOURNAL_STREAM: `${stream}0` }, fd), false)
  t.equal(isJournal({}, fd), false)
})

t.test('each line for the journal begins with its priority', async (t) => {
  const { path, fd, stream } = openFile(t)
  t.intercept(process, 'env', { value: { ...process.env, JOURNAL_STREAM: stream } })
  logAll(fd)
  const lines = nodeFs.readFileSync(path, 'utf8').trimEnd().split('\n')
  t.strictSame(
    lines.map((line) => line.slice(0, 3)),
    ['<7>', '<7>', '<6>', '<4>', '<3>', '<2>'],
  )
  t.doesNotThrow(() => lines.map((line) => JSON.parse(line.slice(3))))
})

t.test('elsewhere a line is JSON from its first byte', async (t) => {
  const { path, fd } = openFile(t)
  logAll(fd)
  const lines = nodeFs.readFileSync(path, 'utf8').trimEnd().split('\n')
  t.strictSame(
    lines.map((line) => JSON.parse(line).level),
    [10, 20, 30, 40, 50, 60],
  )
})

/** A journal: what it was sent, by field. */
function openJournal(t: Test, path: string) {
  const socket = native.socket(native.constants.SOCK_DGRAM)
  native.bind(socket, path)
  t.teardown(() => socket.close())
  const next = () => {
    const { data } = native.recvmsg(socket, 65_536)
    return Object.fromEntries(
      data
        .toString()
        .trimEnd()
        .split('\n')
        .map((line) => line.split(/=(.*)/s).slice(0, 2)),
    )
  }
  return { socket, next }
}

for (const [format, message] of [
  ['json', /^\{"level":40,.*"msg":"said"\}$/],
  ['text', /WARN said uid=7$/],
] as const) {
  t.test(
    `the journal gets lines as ${format} with their fields, and they go nowhere else while it takes them`,
    async (t) => {
      const { path, fd, stream } = openFile(t)
      t.intercept(process, 'env', { value: { ...process.env, JOURNAL_STREAM: stream } })
      const journal = `${path}.socket`
      const { next, socket } = openJournal(t, journal)
      const log = new DaemonLog('info', { fd, format, journal })
      log.logger.warn({ uid: 7, peerName: 'x' }, 'said')
      const fields = next()
      t.match(fields, { PRIORITY: '4', SYSLOG_IDENTIFIER: 'memsvc', MEMSVC_UID: '7', MEMSVC_PEER_NAME: 'x' })
      t.match(fields.MESSAGE, format === 'json' ? message : /said/)
      t.equal(nodeFs.readFileSync(path, 'utf8'), '')
      socket.close()
      log.logger.error('and then')
      t.match(nodeFs.readFileSync(path, 'utf8'), /^<3>.*and then/, 'it is a line when the journal is gone')
      log.close()
    },
  )
}
