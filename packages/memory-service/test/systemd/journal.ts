/** Priorities for the journal: a file in its place, which JOURNAL_STREAM names. */

import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import t, { type Test } from 'tap'
import { DaemonLog } from '../../src/log/logger.ts'
import { isJournal } from '../../src/systemd/journal.ts'
import { nodeFs, nodeOs, nodePath } from '../../test-support/index.ts'

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
