/** The examples with a store, each by its one command, with a daemon of their own and with one that runs. */
import t from 'tap'
import { leakChecked, startDaemon, watchdog } from '../../packages/shared/dist/test-support/harness.js'
import { MEMSVC, memclient, runExample } from './support/programs.mjs'

watchdog(t)
leakChecked(t)

t.test('no worker answers with a flag that had been changed before', async (t) => {
  const { registry } = await startDaemon(t, MEMSVC)
  const args = ['--workers', '2', '--requests', '300', '--changes', '5']
  const { code, stdout, stderr } = await runExample(t, 'feature-flags/main.mjs', args, registry)
  t.equal(code, 0, stderr)
  t.match(stdout, /^300 requests to 2 workers, 5 changes of the flag, no restart$/m)
  t.match(stdout, /^0 answers with a flag that had been changed before the request was sent$/m)
  t.equal((await memclient(t, ['get', 'flags/greeting'], registry)).stdout, '{"text":"hello 5"}')
})

t.test('workers let in as many as the limit says, together', async (t) => {
  const { registry } = await startDaemon(t, MEMSVC)
  const args = ['--workers', '2', '--requests', '60', '--limit', '20', '--seconds', '3600', '--windows', '1']
  const { code, stdout, stderr } = await runExample(t, 'rate-limit/main.mjs', args, registry)
  t.equal(code, 0, stderr)
  t.equal(stdout, 'window 1: 20 of 60 requests to 2 workers were let in')
})

t.test('a table is read at positions by several processes, without a copy, and is replaced meanwhile', async (t) => {
  // An 8 MiB table. The example starts a daemon of its own: nobody is at this registry.
  const args = ['--mib', '8', '--readers', '2', '--look-ups', '2000']
  const { code, stdout, stderr } = await runExample(t, 'geo-table/main.mjs', args, '/nowhere/registry.sock')
  t.equal(code, 0, stderr)
  t.match(stdout, /^shared: RSS \d+ MiB each, PSS \d+ MiB each, \d+ MiB in all\n {2}0 wrong answers, /m)
  t.match(stdout, /^copy: RSS \d+ MiB each, PSS \d+ MiB each, \d+ MiB in all\n {2}0 wrong answers, /m)
})
