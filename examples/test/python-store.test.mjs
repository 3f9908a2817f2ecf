/** The store's reader that knows nothing but docs/protocol.md, with real owners, those who move and those who lie. */
import { OwnedStore, ServiceManager } from '@memsvc/shared'
import { AreaWriter, areaTypes, Hub } from 'memfd-native'
import t from 'tap'
import { leakChecked, startDaemon, watchdog } from '../../packages/shared/dist/test-support/harness.js'
import * as support from './support/programs.mjs'

const { MEMSVC, memclient, nodeFs, nodePath, runExample, runTool, startExample, startRegistry } = support
const { readFileSync, writeFileSync } = nodeFs
const { join } = nodePath

const CLIENT = 'python-client/memclient.py'
const DONE = { code: 0, signal: null, stdout: '', stderr: '' }

watchdog(t)
leakChecked(t)
Hub.current() // it keeps its descriptors from first use on: they are no leak of the test that comes first

function python(t, args, registry) {
  return runExample(t, CLIENT, args, registry)
}

async function publishStore(t, options) {
  const registry = await startRegistry(t)
  const store = new OwnedStore(options)
  const manager = await ServiceManager.connect({ path: registry })
  t.teardown(() => {
    manager.close()
    store.close()
  })
  await manager.addService('SharedStore', store.binder)
  return { registry, store }
}

t.test('reads and writes a daemon, as memclient does', async (t) => {
  const { registry } = await startDaemon(t, MEMSVC)
  for (const [key, value] of [
    ['a', '{"x":[1,null,"ü"]}'],
    ['b', '42'],
    ['k'.repeat(300), '"text"'],
  ]) {
    t.same(await python(t, ['put', key, value], registry), DONE)
    t.same(await memclient(t, ['get', key], registry), { ...DONE, stdout: value })
    t.same(await python(t, ['get', key], registry), { ...DONE, stdout: value })
    t.same(await python(t, ['get', key, '--json'], registry), await memclient(t, ['get', key, '--json'], registry))
  }
  t.same(await python(t, ['keys'], registry), await memclient(t, ['keys'], registry))
  for (const [key, value] of [
    ['like/bytes', '{"$bytes":"AA=="}'],
    ['like/$bytes', '{"$$bytes":1}'],
  ]) {
    const { stdout } = await python(t, ['put', key, value, '--json'], registry)
    t.match(JSON.parse(stdout), { key, version: Number })
  }
  t.same(await python(t, ['export'], registry), await memclient(t, ['export'], registry))
  const { stdout: deleted } = await python(t, ['delete', 'like/bytes', '--json'], registry)
  t.match(JSON.parse(deleted), { key: 'like/bytes', deleted: true, version: Number })
  t.same(await python(t, ['increment', 'b', '-2'], registry), { ...DONE, stdout: '40' })
  t.same(await python(t, ['delete', 'a'], registry), DONE)
  t.match(await python(t, ['get', 'a'], registry), { code: 3, stderr: /has no value for "a"/ })
  t.match(await python(t, ['put', 'b', '1', '--if-version', '0'], registry), { code: 6 })
  t.match(await python(t, ['get', 'b', '--store', 'none'], registry), { code: 3 })
})

t.test('takes and refuses the same values and keys as memclient', async (t) => {
  const { registry } = await startDaemon(t, MEMSVC)
  const half = JSON.stringify('\ud800')
  for (const [value, stored] of [
    [`[1.0,1e5,1e21,-0,9007199254740994,${half}]`, `[1,100000,1e+21,0,9007199254740994,${half}]`],
    ['NaN', '"NaN"'],
    ['{"a":-Infinity}', '"{\\"a\\":-Infinity}"'],
  ]) {
    t.same(await python(t, ['put', 'k', value], registry), DONE)
    t.same(await memclient(t, ['get', 'k'], registry), { ...DONE, stdout: stored })
    t.same(await python(t, ['get', 'k'], registry), { ...DONE, stdout: stored })
  }
  for (const value of ['12345678901234567890', '[1e400]', '9'.repeat(400)]) {
    const refused = await python(t, ['put', 'k', value], registry)
    t.same(refused, await memclient(t, ['put', 'k', value], registry))
    t.equal(refused.code, 2)
  }
  for (const args of [
    ['get', ''],
    ['get', 'a\u0001'],
    ['delete', 'é'.repeat(257)],
    ['changes', '\u007f'],
  ]) {
    t.match(await memclient(t, args, registry), { code: 2 })
    const { code, stderr } = await python(t, args, registry)
    t.equal(code, 2, stderr)
  }
})

t.test('a value that is JSON by its mark alone is an error alone, and bytes among others', async (t) => {
  const { registry } = await startDaemon(t, MEMSVC)
  await memclient(t, ['put', 'a', '1'], registry)
  const put = 'from memsvc import Registry; Registry().get_store("SharedStore").set("k", b"[NaN]")'
  const place = { cwd: join(import.meta.dirname, '../python-client'), env: { MEMSVC_REGISTRY: registry } }
  t.match(await runTool(t, ['python3', '-B', '-c', put], place), { code: 0 })
  t.same(await python(t, ['get', 'k'], registry), await memclient(t, ['get', 'k'], registry))
  const [exported, expected] = [await python(t, ['export'], registry), await memclient(t, ['export'], registry)]
  t.same(JSON.parse(exported.stdout), JSON.parse(expected.stdout), exported.stderr)
})

t.test('tells changes of a prefix, of an owner that moves, deletes, and is another one later', async (t) => {
  const { registry, program } = await startDaemon(t, MEMSVC)
  await memclient(t, ['put', 'a/before', '1'], registry)
  const watcher = startExample(t, CLIENT, ['changes', 'a/'], registry)
  t.match(await watcher.stderr.next(), /watching/)
  for (const [args, line] of [
    [['put', 'a/1', '[1]'], 'a/1 [1]'],
    [['put', 'b', '1'], null],
    [['delete', 'a/before'], 'a/before'],
    [['put', 'a/1', '2'], 'a/1 2'],
  ]) {
    await memclient(t, args, registry)
    if (line !== null) t.equal(await watcher.stdout.next(), line)
  }
  await program.destroy()
  t.ok(await watcher.stderr.find((line) => line.includes('is gone, waiting for it to come back')))
  await startDaemon(t, MEMSVC, { registry })
  t.match(await watcher.stderr.next(), /watching/)
  await memclient(t, ['put', 'a/3', 'true'], registry)
  t.equal(await watcher.stdout.next(), 'a/3 true')
  watcher.kill('SIGINT')
  t.match(await watcher.ending, { code: 0, signal: null })
})

t.test('goes on in a larger area, and in a smaller one', async (t) => {
  const { registry, store } = await publishStore(t, { capacity: 8 * 1024 * 1024, maxKeys: 1000 })
  store.set('k', 0)
  const watcher = startExample(t, CLIENT, ['changes'], registry)
  t.match(await watcher.stderr.next(), /watching/)
  for (const [i, capacity] of [64, 4, 32].entries()) {
    store.resize({ capacity: capacity * 1024 * 1024 })
    store.set('k', i + 1)
    t.equal(await watcher.stdout.next(), `k ${i + 1}`)
  }
})

t.test('keys of an area that may not be read are nobody', async (t) => {
  const { registry, store } = await publishStore(t, {
    areas: [{ keys: ['secret/*'], mayRead: () => false }, { keys: ['b*', 'c'] }, { keys: ['*'] }],
  })
  for (const key of ['secret/a', 'b1', 'c', 'd']) store.set(key, key)
  t.same(await python(t, ['keys'], registry), { ...DONE, stdout: 'b1\nc\nd' })
  for (const key of ['b1', 'c', 'd']) t.same(await python(t, ['get', key], registry), { ...DONE, stdout: `"${key}"` })
  t.match(await python(t, ['get', 'secret/a'], registry), { code: 3 })
})

t.test('reads whole values, and moments, of an owner who writes all the time', async (t) => {
  const { registry, store } = await publishStore(t, { capacity: 16 * 1024 * 1024, maxKeys: 200 })
  let isOver = false
  let round = 0
  const write = () => {
    if (isOver) return
    for (let i = 0; i < 20; i++, round++) {
      const value = Buffer.alloc(1 + ((round * 37) % 3000), round % 256)
      store.update([
        { key: 'a', value },
        { key: 'b', value },
        { key: `other/${round % 100}`, ...(round % 3 > 0 && { value }) },
      ])
    }
    if (round % 2000 === 0) store.resize({ capacity: (16 + (round % 3)) * 1024 * 1024 })
    setImmediate(write)
  }
  write()
  const { code, stderr } = await runExample(t, 'python-client/test_store.py', [], registry)
  isOver = true
  t.equal(code, 0, stderr)
  t.ok(round > 100)
})

t.test('it reads areas of lying owners as far as possible, and does not crash', async (t) => {
  const writer = AreaWriter.create({ capacity: 192 * 1024, maxKeys: 64, logSize: 512 })
  for (let i = 0; i < 12; i++) writer.put(`key${i}`, areaTypes.JSON, Buffer.from(`"value ${i}"`))
  writer.put('k'.repeat(300), areaTypes.JSON, Buffer.from('"long"'))
  writer.delete('key5')
  const path = join(t.testdir(), 'area')
  const fd = writer.share()
  writeFileSync(path, readFileSync(fd.fd))
  fd.close()
  writer.close()
  const { code, stderr } = await runExample(t, 'python-client/test_area.py', [], '', {
    env: { MEMSVC_AREA_IMAGE: path },
  })
  t.equal(code, 0, stderr)
})
