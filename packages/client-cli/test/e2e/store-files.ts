/** Large values, files, and whole stores: `get --output`, `put --file`, `import` and `export`. */

import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import * as support from '../../test-support/index.ts'

const DONE = { code: 0, signal: null, stdout: '', stderr: '' }
const MIB = 1024 * 1024

watchdog(t)
leakChecked(t)

/** Bytes that repeat nowhere in particular. */
function noise(bytes: number): Buffer {
  const block = Buffer.alloc(bytes)
  for (let at = 0, hash = Buffer.alloc(64); at < bytes; at += 64) {
    hash = support.nodeCrypto.createHash('sha512').update(hash).digest()
    hash.copy(block, at)
  }
  return block
}

t.test('a large value goes in by a file or by stdin, and comes out as it was', async (t) => {
  const { registry, store } = await support.startStore(t, { capacity: 256 * MIB, maxValueBytes: 100 * MIB })
  const folder = support.newFolder(t)
  const content = noise(5 * MIB + 7)
  support.nodeFs.writeFileSync(support.nodePath.join(folder, 'in'), content)
  t.same(
    await support.memclient(registry, ['put', 'a', '--bytes', '--file', support.nodePath.join(folder, 'in')]),
    DONE,
  )
  t.ok(content.equals(store.get('a') as Buffer))
  const stdin = support.nodeFs.openSync(support.nodePath.join(folder, 'in'), 'r')
  t.same(await support.memclient(registry, ['put', 'b', '--bytes'], { stdin }), DONE)
  support.nodeFs.closeSync(stdin)
  const printed = await support.printedBytes(t, registry, ['get', 'b'])
  t.ok(content.equals(printed.bytes))
  t.same(await support.memclient(registry, ['get', 'b', '--output', support.nodePath.join(folder, 'out')]), DONE)
  t.ok(content.equals(support.nodeFs.readFileSync(support.nodePath.join(folder, 'out'))))
})

t.test('a value that is longer than a part is written in parts', async (t) => {
  const { registry, store } = await support.startStore(t, { capacity: 160 * MIB, maxValueBytes: 100 * MIB })
  const content = Buffer.alloc(65 * MIB)
  noise(MIB).copy(content, 64 * MIB)
  store.set('k', content)
  t.ok(content.equals((await support.printedBytes(t, registry, ['get', 'k'])).bytes))
})

t.test('--output replaces a file when it is whole, and keeps its mode and the link to it', async (t) => {
  const { registry, store } = await support.startStore(t)
  const folder = support.newFolder(t)
  const file = support.nodePath.join(folder, 'file')
  const link = support.nodePath.join(folder, 'link')
  support.nodeFs.writeFileSync(file, 'before, and longer than what comes')
  support.nodeFs.chmodSync(file, 0o640)
  support.nodeFs.symlinkSync(file, link)
  t.match(await support.memclient(registry, ['get', 'k', '--output', link]), { code: 3 })
  t.equal(support.nodeFs.readFileSync(file, 'utf8'), 'before, and longer than what comes')
  store.set('k', 1)
  t.same(await support.memclient(registry, ['get', 'k', '--output', link]), DONE)
  t.equal(support.nodeFs.readFileSync(file, 'utf8'), '1\n')
  t.equal(support.nodeFs.statSync(file).mode & 0o777, 0o640)
  t.ok(support.nodeFs.lstatSync(link).isSymbolicLink())
  t.same(support.nodeFs.readdirSync(folder).sort(), ['file', 'link'])
})

t.test('a file that cannot be written is told by its name', async (t) => {
  const { registry, store } = await support.startStore(t)
  store.set('k', 1)
  const folder = support.newFolder(t)
  t.match(await support.memclient(registry, ['get', 'k', '--output', support.nodePath.join(folder, 'none/file')]), {
    code: 1,
    stderr: /cannot write to .*none\/file: ENOENT/,
  })
  t.match(await support.memclient(registry, ['get', 'k', '--output', folder]), {
    code: 1,
    stderr: /cannot write to .*: EISDIR/,
  })
  t.same(await support.memclient(registry, ['get', 'k', '--output', '-']), { ...DONE, stdout: '1' })
})

t.test('export is one object, sorted, that import takes', async (t) => {
  const { registry, store } = await support.startStore(t)
  const values = { 'b"': 'text', a: { x: [1, 2] }, c: null, ü: -0.5 }
  for (const [key, value] of Object.entries(values)) store.set(key, value)
  store.set('bytes', Buffer.from([0, 1, 255]))
  const { stdout } = await support.memclient(registry, ['export'])
  t.same(JSON.parse(stdout), { ...values, bytes: { $bytes: 'AAH/' } })
  t.equal(stdout.split('\n').length, 7, 'one key a line')
  const file = support.nodePath.join(support.newFolder(t), 'all.json')
  t.same(await support.memclient(registry, ['export', '--output', file]), DONE)
  const other = await support.startStore(t, { registry, name: 'other' })
  t.same(await support.memclient(registry, ['import', file, '--store', 'other']), DONE)
  t.same(other.store.keys(), store.keys())
  for (const key of store.keys()) t.same(other.store.get(key), store.get(key), key)
  t.same(JSON.parse((await support.memclient(registry, ['export', 'b'])).stdout), {
    'b"': 'text',
    bytes: { $bytes: 'AAH/' },
  })
  t.same(await support.memclient(registry, ['export', 'nothing']), { ...DONE, stdout: '{}' })
})

t.test('import takes many keys in transactions of what fits, and large values by themselves', async (t) => {
  const { registry, store } = await support.startStore(t, { maxKeys: 10_000 })
  const versions = new Set<bigint>()
  store.onChange = ({ version }) => versions.add(version)
  const large = 'x'.repeat(3 * MIB)
  const object: Record<string, unknown> = { __proto__x: 1, first: large }
  for (let i = 0; i < 3000; i++) object[`key/${i}`] = { i, text: 'y'.repeat(i % 1000) }
  for (let i = 0; i < 30; i++) object[`half/${i}`] = 'z'.repeat(60_000)
  const stdin = support.nodeFs.openSync(writeJson(support.newFolder(t), object), 'r')
  t.same(await support.memclient(registry, ['import', '-', '--json'], { stdin }), {
    ...DONE,
    stdout: '{"imported":3032}',
  })
  support.nodeFs.closeSync(stdin)
  t.equal(store.keys().length, 3032)
  t.ok(versions.size < 60, `${versions.size} transactions`)
  for (const key of ['first', 'key/0', 'key/2999', 'half/29']) t.strictSame(store.get(key), object[key], key)
})

function writeJson(folder: string, value: unknown): string {
  const path = support.nodePath.join(folder, 'import.json')
  support.nodeFs.writeFileSync(path, JSON.stringify(value))
  return path
}

t.test('import into a store of several areas', async (t) => {
  const { registry, store } = await support.startStore(t, { areas: [{ keys: ['a/*'] }, { keys: ['*'] }] })
  const object = { 'a/1': 1, b: 2, 'a/2': 3 }
  t.same(await support.memclient(registry, ['import', writeJson(support.newFolder(t), object)]), DONE)
  t.same(store.keys(), ['a/1', 'a/2', 'b'])
  t.same(JSON.parse((await support.memclient(registry, ['export'])).stdout), object)
})

t.test('a value of many levels is printed, exported and imported, and spoils nothing else', async (t) => {
  const { registry, store } = await support.startStore(t)
  const [levels, file] = [100_000, support.nodePath.join(support.newFolder(t), 'exported')]
  const text = `${'['.repeat(levels)}${']'.repeat(levels)}`
  support.nodeFs.writeFileSync(file, text)
  t.same(await support.memclient(registry, ['put', 'deep', '--file', file]), DONE)
  store.set('flat', 1)
  t.match(await support.memclient(registry, ['get', 'deep', '--output', file]), DONE)
  t.equal(support.nodeFs.readFileSync(file, 'utf8').trim(), text)
  const { code, stdout } = await support.memclient(registry, ['get', 'deep', '--json'])
  t.equal(code, 0)
  t.ok(stdout.includes(`"value":${text},`))
  t.match(await support.memclient(registry, ['export', '--output', file]), DONE)
  store.delete('deep')
  t.same(await support.memclient(registry, ['import', file]), DONE)
  const imported = await support.memclient(registry, ['get', 'deep'])
  t.equal(imported.stdout.trim(), text)
})

t.test('an error of an import names the key', async (t) => {
  const { registry, store } = await support.startStore(t, {
    maxValueBytes: 1000,
    mayWrite: (_caller, key) => key !== 'forbidden',
  })
  const folder = support.newFolder(t)
  const wrong: [value: unknown, code: number, message: RegExp][] = [
    [{ a: 1, forbidden: 2, b: 3 }, 4, /^memclient: "forbidden": .*may not write.*; 1 of 3 keys were imported$/],
    [{ a: 1, long: 'x'.repeat(2000) }, 5, /^memclient: "long": .*limit.*; 1 of 2 keys/],
    [{ '': 1 }, 2, /a key must have 1 to 512 bytes/],
    [{ a: { $bytes: 'no base64!' } }, 2, /\$bytes of "a" are not base64/],
    [[1], 2, /must be one JSON object/],
    ['text', 2, /must be one JSON object/],
  ]
  for (const [value, code, stderr] of wrong) {
    t.match(await support.memclient(registry, ['import', writeJson(folder, value)]), { code, stdout: '', stderr })
  }
  t.equal(store.get('b'), undefined)
  support.nodeFs.writeFileSync(support.nodePath.join(folder, 'broken.json'), '{"a": 1,')
  t.match(await support.memclient(registry, ['import', support.nodePath.join(folder, 'broken.json')]), {
    code: 2,
    stderr: /broken\.json is not JSON/,
  })
  support.nodeFs.writeFileSync(support.nodePath.join(folder, 'number.json'), '{"n": 1e400}')
  t.match(await support.memclient(registry, ['import', support.nodePath.join(folder, 'number.json')]), {
    code: 2,
    stderr: /number\.json: a number must be at most/,
  })
  t.match(await support.memclient(registry, ['import', support.nodePath.join(folder, 'none.json')]), {
    code: 1,
    stderr: /cannot read .*ENOENT/,
  })
})

t.test('exported values are imported unchanged, also JSON that looks like bytes', async (t) => {
  const { registry, store } = await support.startStore(t)
  const values = {
    a: { $bytes: 'AAAA' },
    b: { $$bytes: 1 },
    c: { $bytes: { $bytes: 'x' } },
    d: [{ $bytes: 'AAAA' }],
    e: { $bytes: 'AAAA', more: 1 },
    f: Buffer.from([0, 1]),
  }
  for (const [key, value] of Object.entries(values)) store.set(key, value)
  const file = support.nodePath.join(support.newFolder(t), 'all.json')
  t.same(await support.memclient(registry, ['export', '--output', file]), DONE)
  const stdout = support.nodeFs.readFileSync(file, 'utf8')
  t.match(JSON.parse(stdout), { a: { $$bytes: 'AAAA' }, b: { $$$bytes: 1 }, f: { $bytes: 'AAE=' } })
  for (const key of store.keys()) store.delete(key)
  t.same(await support.memclient(registry, ['import', file]), DONE)
  for (const [key, value] of Object.entries(values)) t.same(store.get(key), value)
})

t.test('something that is not a file is written to, not replaced', async (t) => {
  const { registry, store } = await support.startStore(t)
  store.set('k', 1)
  t.same(await support.memclient(registry, ['get', 'k', '--output', '/dev/null']), DONE)
  t.ok(support.nodeFs.statSync('/dev/null').isCharacterDevice())
})
