/** What goes wrong is told by the Python client as memclient tells it: the same words, the same exit code, in the same time. */
import { Hub } from 'memfd-native'
import t from 'tap'
import { leakChecked, newRegistryPath, startDaemon, watchdog } from '../../packages/shared/dist/test-support/harness.js'
import * as support from './support/programs.mjs'

const { MEMSVC, memclient, nodeFs, nodePath, runExample, startExample } = support
const CLIENT = 'python-client/memclient.py'

t.setTimeout(600_000) // some eighty processes, on a machine that has other things to do
watchdog(t)
leakChecked(t)
Hub.current() // it keeps its descriptors from first use on: they are no leak of the test that comes first

function python(t, args, registry) {
  return runExample(t, CLIENT, args, registry)
}

/** Both, with the same words. */
async function assertAlike(t, args, registry, expected) {
  const [theirs, mine] = await Promise.all([memclient(t, args, registry), python(t, args, registry)])
  t.match(theirs, { signal: null, ...expected }, args.join(' '))
  const { code, stdout, stderr } = mine
  t.strictSame({ code, stdout }, { code: theirs.code, stdout: theirs.stdout }, args.join(' '))
  if (args.includes('--json') && stderr !== '') t.strictSame(JSON.parse(stderr), JSON.parse(theirs.stderr))
  else t.equal(stderr, theirs.stderr, args.join(' '))
}

t.test('errors are the same, with and without --json', async (t) => {
  const { registry } = await startDaemon(t, MEMSVC)
  await memclient(t, ['put', 'there', '1'], registry)
  const cases = [
    [['read', 'nobody'], 3],
    [['info', 'nobody'], 3],
    [['write', 'x'], 2],
    [['write', '2147483648'], 2],
    [['write', '1.5'], 2],
    [['get', 'absent'], 3],
    [['get', 'there', '--store', 'nobody'], 3],
    [['delete', 'absent'], 3],
    [['put', 'there', '2', '--if-version', '0'], 6],
    [['put', 'there', '2', '--if-version', 'x'], 2],
    [['put', 'there', '2', '--ttl', '0'], 2],
    [['increment', 'there', 'x'], 2],
    [['read', '--timeout', 'x'], 2],
    [['read', '--timeout=0'], 2],
    [['watch', '--count', '0'], 2],
    [['read', '--registry-owner', 'root'], 2],
    [['read', '--system', '--user'], 2],
    [['read', '--registry', `/${'x'.repeat(200)}`], 2],
  ]
  for (const [i, [args, code]] of cases.entries()) {
    const asked = i % 2 === 0 ? ['--json', ...args] : args
    await assertAlike(t, asked, registry, { code, stdout: '' })
  }
})

t.test('why there is no registry is told alike', async (t) => {
  const folder = nodePath.dirname(newRegistryPath(t)) // short, as the path of a socket has to be
  nodeFs.writeFileSync(nodePath.join(folder, 'file'), '')
  nodeFs.mkdirSync(nodePath.join(folder, 'folder'))
  const paths = [
    '/nowhere/r.sock',
    '/dev/null',
    'unix:/x',
    `${folder}/file`,
    `${folder}/folder`,
    `${folder}/file/r.sock`,
  ]
  for (const path of paths) await assertAlike(t, ['read', '--registry', path], '', { code: 3 })
  await assertAlike(t, ['list'], nodePath.join(folder, 'none'), { code: 3 })
})

t.test('a daemon that is stopped is waited for as long as was said, and no longer', async (t) => {
  const { registry, program } = await startDaemon(t, MEMSVC)
  program.kill('SIGSTOP')
  t.teardown(() => program.kill('SIGCONT'))
  for (const command of ['read', 'write', 'list', 'info', 'watch', 'keys', 'changes', 'export']) {
    const args = [command, ...(command === 'write' ? ['1'] : []), '--timeout', '0.2']
    await assertAlike(t, args, registry, { code: 5, stderr: /has not answered for 0.2 s, try again later/ })
  }
})

t.test('a watch ends after so many, at a value, and when its reader is gone', async (t) => {
  const { registry } = await startDaemon(t, MEMSVC)
  t.match(await python(t, ['watch', '--count', '1'], registry), { code: 0, stdout: '0' })
  t.match(await python(t, ['watch', '--until', '0'], registry), { code: 0, stdout: '0' })
  const watcher = startExample(t, CLIENT, ['watch'], registry)
  t.equal(await watcher.stdout.next(), '0')
  watcher.closeStdout()
  t.match(await watcher.ending, { code: 0, signal: null })
})

t.test('a value that is yet to come is waited for', async (t) => {
  const { registry, program } = await startDaemon(t, MEMSVC)
  await program.destroy()
  t.match(await python(t, ['read', '--wait', '0.1'], registry), { code: 5, stderr: /has not come for 0.1 s/ })
  const waiting = startExample(t, CLIENT, ['read', '--wait'], registry)
  await startDaemon(t, MEMSVC, { registry })
  t.match(await waiting.ending, { code: 0, stdout: '0' })
})
