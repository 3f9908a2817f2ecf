/** The dashboard asks for nothing that a daemon does not say. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { leakChecked, startDaemon, watchdog } from '../../packages/shared/dist/test-support/harness.js'

const MEMSVC = new URL('../../packages/memory-service/bin/memsvc.js', import.meta.url).pathname

watchdog(t)
leakChecked(t)

t.test('every number of the dashboard is one of the metrics', async (t) => {
  const { panels } = JSON.parse(readFileSync(new URL('../dashboard/dashboard.json', import.meta.url), 'utf8'))
  const asked = panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => expr.match(/memsvc_\w+/g)))
  const { registry } = await startDaemon(t, MEMSVC)
  const args = [MEMSVC, 'metrics', '--registry', registry]
  const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  for (const name of new Set(asked)) t.match(stdout, new RegExp(`^# TYPE ${name} `, 'm'), name)
  t.ok(asked.length > 10)
})
