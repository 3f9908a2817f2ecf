/** `memsvc status` is tried without the library first: where all is as on every day nothing else is loaded, and what it declines the command does. */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Binder, defineInterface, ServiceManager, types } from '@memsvc/shared'
import t, { type Test } from 'tap'
import * as support from '../../test-support/index.ts'

const { leakChecked, memsvc, runMemsvc, startMemsvc, tryStatus, watchdog } = support
const QUICK = ['memsvc.js', 'quick-status.cjs']
const ALL = [...QUICK, 'ask.cjs']

watchdog(t)
leakChecked(t)

const IControl = defineInterface('memsvc.IControl', { status: { code: 1101, args: [], returns: types.string } })

/** How a command ends, and the scripts that it loads, as V8 counts them. */
async function loadedFiles(t: Test, registry: string, args: string[]) {
  const folder = t.testdir()
  const { code, stderr } = await memsvc(registry, args, { env: { NODE_V8_COVERAGE: folder } })
  const reports = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'))
  const urls = reports.flatMap((report) => (JSON.parse(report) as { result: { url: string }[] }).result)
  return { code, stderr, files: urls.filter(({ url }) => url.startsWith('file:')).map(({ url }) => basename(url)) }
}

/** Without what differs between two commands: who asks, how long the daemon has been up, what it has just opened. */
const steady = (text: string) =>
  text.replace(/pid \d+|"pid":\d+|\d+ (m?s|min)\b|\d+\.\d+Z?|"(uptimeSeconds|calls)":\d+/g, 'N')

t.test('the status of a daemon is read without the library', async (t) => {
  const { registry } = await startMemsvc(t)
  const lines = [['status'], ['status', '--json'], ['status', 'AnonymousSharedMemory', '--timeout=4', '--json']]
  for (const args of lines) {
    t.same(await loadedFiles(t, registry, args), { code: 0, stderr: '', files: QUICK }, args.join(' '))
  }
})

t.test('both ways print the same', async (t) => {
  const { registry } = await startMemsvc(t, { args: ['--name', 'naive.text'] })
  for (const options of [[], ['--json']]) {
    const quick = await memsvc(registry, ['status', 'naive.text', ...options])
    // With an option before it the command is not tried first.
    const whole = await runMemsvc(['--registry', registry, 'status', 'naive.text', ...options])
    t.equal(steady(quick.stdout), steady(whole.stdout))
    t.match(
      [quick, whole],
      [
        { code: 0, stderr: '' },
        { code: 0, stderr: '' },
      ],
    )
  }
})

t.test('an unusual status is read by the library', async (t) => {
  const { registry } = await startMemsvc(t)
  using manager = await ServiceManager.connect({ path: registry })
  await manager.addService('plain', new Binder())
  const extended = new Binder()
  await extended.setExtension(new Binder())
  await manager.addService('extended', extended)
  const odd: [args: string[], code: number][] = [
    [['status', 'none'], 3],
    [['status', 'a b'], 3],
    [['status', 'plain'], 1],
    [['status', 'extended'], 1],
    [['status', '--timeout', 'soon'], 2],
    [['status', '--user', '--system'], 2],
    [['status', 'one', 'two'], 2],
    [['status', '--help'], 0],
  ]
  for (const [args, code] of odd) {
    t.match(await loadedFiles(t, registry, args), { code, files: ALL }, args.join(' ').slice(0, 40))
  }
})

t.test('what a false daemon says drives no terminal', async (t) => {
  const { registry } = await startMemsvc(t)
  using manager = await ServiceManager.connect({ path: registry })
  class False extends IControl.Stub {
    status(): string {
      return JSON.stringify({ name: '\u001b[31mred\nvalue: 7', 'a\rb': 1, value: 1 })
    }
  }
  const named = new Binder()
  await named.setExtension(new False())
  await manager.addService('false', named)
  const where = ['--registry', registry]
  for (const args of [
    ['status', 'false', ...where],
    [...where, 'status', 'false'],
    ['top', 'false', '--count', '1', ...where],
  ]) {
    const { code, stdout } = await runMemsvc(args)
    t.equal(code, 0, args.join(' '))
    t.notMatch(stdout.replaceAll('\n', ''), /\p{Cc}/u, 'no control character but the ends of lines')
    t.notMatch(stdout, /^value: 7/m)
  }
  const { stdout } = await memsvc(registry, ['status', 'false', '--json'])
  t.match(JSON.parse(stdout), { name: '\u001b[31mred\nvalue: 7' }, 'a program gets what was said')
})

t.test('the quick attempt leaves nothing open when it gives up', async (t) => {
  const { registry } = await startMemsvc(t)
  using manager = await ServiceManager.connect({ path: registry })
  await manager.addService('plain', new Binder())
  for (const args of [
    ['status', 'none', '--registry', registry],
    ['status', 'plain', '--registry', registry],
    ['status', '', '--registry', registry],
    ['status', '--registry', `${registry}.none`],
    ['status', '--nonsense'],
    ['stop'],
    [],
  ]) {
    t.equal(await tryStatus(args), false, args.join(' ').slice(0, 40))
  }
})
