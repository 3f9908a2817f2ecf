/** `memclient get` is tried without the library first: where all is as on every day nothing else is loaded, and what it declines the library does. */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t, { type Test } from 'tap'
import * as support from '../../test-support/index.ts'

const { leakChecked, memclient, newFolder, startMemsvc, startStore, tryGet, watchdog } = support
const QUICK = ['memclient.cjs', 'quick-get.cjs']
const ALL = [...QUICK, 'memclient.cjs']

watchdog(t)
leakChecked(t)

/** How a command ends, and the scripts that it loads, as V8 counts them. */
async function loadedFiles(t: Test, registry: string, args: string[]) {
  const folder = newFolder(t)
  const { code, stdout } = await memclient(registry, args, { env: { NODE_V8_COVERAGE: folder } })
  const reports = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'))
  const urls = reports.flatMap((report) => (JSON.parse(report) as { result: { url: string }[] }).result)
  return { code, stdout, files: urls.filter(({ url }) => url.startsWith('file:')).map(({ url }) => basename(url)) }
}

t.test('a small value of a daemon is read without the library', async (t) => {
  const { registry } = await startMemsvc(t)
  await memclient(registry, ['put', 'k', '{"a":[1]}'])
  t.same(await loadedFiles(t, registry, ['get', 'k']), { code: 0, stdout: '{"a":[1]}', files: QUICK })
  const { version } = JSON.parse((await memclient(registry, ['get', 'k', '--json', '--registry', registry])).stdout)
  t.same(await loadedFiles(t, registry, ['get', '--json', 'k']), {
    code: 0,
    stdout: `{"key":"k","value":{"a":[1]},"version":${version},"type":"json"}`,
    files: QUICK,
  })
})

t.test('both ways print the same', async (t) => {
  const { registry, store } = await startStore(t)
  for (const [i, value] of [0, 'ü\u0085\n', null, { b: 1, a: [] }, Buffer.from('line\n'), Buffer.alloc(0)].entries()) {
    store.set(`k${i}`, value)
    for (const options of [[], ['--json']]) {
      const quick = await memclient(registry, ['get', `k${i}`, ...options])
      // An option after -- is for the library: commander is asked.
      t.same(await memclient(registry, ['get', ...options, '--', `k${i}`]), quick, `k${i}`)
      t.equal(quick.code, 0)
    }
  }
})

t.test('an unusual read is done by the library', async (t) => {
  const { registry, store } = await startStore(t)
  store.set('k', 1)
  store.set('long', 'x'.repeat(70_000))
  await startStore(t, { registry, name: 'parts', areas: [{ keys: ['a/*'] }, { keys: ['*'] }] })
  const odd: [args: string[], code: number][] = [
    [['get', 'none'], 3],
    [['get', 'long'], 0],
    [['get', 'k', '--output', '-'], 0],
    [['get', 'k', '--max-age', '5s'], 0],
    [['get', 'k', '--max-age', '0.5min'], 0],
    [['get', 'k', '--max-age', 'soon'], 2],
    [['get', 'k', '--store', 'parts'], 3],
    [['get', 'k', '--store', 'none'], 3],
    [['get', 'k', '--store', 'a b'], 3],
    [['get', ''], 2],
    [['get', 'k'.repeat(600)], 2],
  ]
  for (const [args, code] of odd) {
    t.match(await loadedFiles(t, registry, args), { code, files: ALL }, args.join(' ').slice(0, 40))
  }
})

t.test('the quick read leaves nothing open when it gives up', async (t) => {
  const { registry } = await startMemsvc(t)
  for (const args of [
    ['get', 'none', '--registry', registry],
    ['get', '', '--registry', registry],
    ['get', 'k', '--registry', registry, '--store', 'AnonymousSharedMemory'],
    ['get', 'k', '--registry', `${registry}.none`],
    ['get', 'k', '--nonsense'],
    ['get'],
  ]) {
    t.equal(await tryGet(args), false, args.join(' ').slice(0, 40))
  }
})
