/** The commands of a store: what each does to it, and prints. */
import { closeSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { leakChecked, watchdog } from '@memsvc/shared/test-support'
import t, { type Test } from 'tap'
import { memclient, newFolder, printedBytes, startStore } from '../../test-support/index.ts'

const DONE = { code: 0, signal: null, stdout: '', stderr: '' }
const BINARY = Buffer.from([0, 255, 10, 13, 128, 10])

watchdog(t)
leakChecked(t)

/** A file with this content, opened for reading as long as the test runs. */
function inputOf(t: Test, content: string | Uint8Array): number {
  const path = join(newFolder(t), 'input')
  writeFileSync(path, content)
  const fd = openSync(path, 'r')
  t.teardown(() => closeSync(fd))
  return fd
}

t.test('a value is JSON where it is JSON, and a string where it is not', async (t) => {
  const { registry, store } = await startStore(t)
  const values: [text: string, value: unknown, printed: string][] = [
    ['42', 42, '42'],
    ['-1.5e3', -1500, '-1500'],
    ['hello', 'hello', '"hello"'],
    ['"hello"', 'hello', '"hello"'],
    ['{"a": [1, null]}', { a: [1, null] }, '{"a":[1,null]}'],
    ['{"a": ', '{"a": ', '"{\\"a\\": "'],
    ['', '', '""'],
    ['null', null, 'null'],
    ['two\nlines', 'two\nlines', '"two\\nlines"'],
    ['\u009b31m', '\u009b31m', '"\\u009b31m"'],
  ]
  for (const [text, value, printed] of values) {
    t.same(await memclient(registry, ['put', 'k', text]), DONE, text)
    t.strictSame(store.get('k'), value, text)
    t.same(await memclient(registry, ['get', 'k']), { ...DONE, stdout: printed }, text)
  }
})

t.test('a number that no double holds is refused, not stored as null', async (t) => {
  const { registry, store } = await startStore(t)
  for (const text of ['1e400', '[1, -1e999]', '9'.repeat(400)]) {
    t.match(await memclient(registry, ['put', 'k', text]), { code: 2, stderr: /at most 1.8e308/ }, text.slice(0, 20))
  }
  t.equal(store.get('k'), undefined)
  t.same(await memclient(registry, ['put', 'k', 'e999 is a code']), DONE)
})

t.test('an integer of more digits than a number keeps is refused, not stored as another', async (t) => {
  const { registry, store } = await startStore(t)
  const digits = '12345678901234567890'
  const message = { code: 2, stderr: /12345678901234567890.*more digits/ }
  t.match(await memclient(registry, ['put', 'k', digits]), message)
  t.match(await memclient(registry, ['put', 'k'], { stdin: inputOf(t, `{"id": ${digits}}\n`) }), message)
  t.match(await memclient(registry, ['import', '-'], { stdin: inputOf(t, `{"k": [${digits}]}`) }), message)
  t.match(await memclient(registry, ['increment', 'k', digits]), { code: 2, stderr: /BY must be a number of no more/ })
  t.strictSame(store.keys(), [])
  t.same(await memclient(registry, ['put', 'k', `"${digits}"`]), DONE)
  t.same(await memclient(registry, ['get', 'k']), { ...DONE, stdout: `"${digits}"` })
})

t.test('an input of import that is no text is not sent to an option that import has not', async (t) => {
  const { registry } = await startStore(t)
  const { code, stderr } = await memclient(registry, ['import', '-'], { stdin: inputOf(t, BINARY) })
  t.same([code, stderr], [2, 'memclient: stdin is not UTF-8 text'])
})

t.test('without a value stdin is taken: text without its last line end, or bytes as they are', async (t) => {
  const { registry, store } = await startStore(t)
  const put = (content: string | Uint8Array, ...options: string[]) =>
    memclient(registry, ['put', 'k', ...options], { stdin: inputOf(t, content) })
  t.same(await put('{"a": 1}\n'), DONE)
  t.strictSame(store.get('k'), { a: 1 })
  t.same(await put('line\n\n'), DONE)
  t.equal(store.get('k'), 'line\n')
  t.same(await put('line\r\n'), DONE)
  t.equal(store.get('k'), 'line')
  t.same(await put(''), DONE)
  t.equal(store.get('k'), '')
  t.match(await put(BINARY), { code: 2, stderr: /not UTF-8 text; --bytes stores it/ })
  t.same(await put(BINARY, '--bytes'), DONE)
  t.same(store.get('k'), BINARY)
  t.same(await put('42\n', '--bytes', '--file', '-'), DONE)
  t.same(store.get('k'), Buffer.from('42\n'))
})

t.test('--file takes a file as stdin is taken', async (t) => {
  const { registry, store } = await startStore(t)
  const path = join(newFolder(t), 'value')
  writeFileSync(path, '[1, 2]\n')
  t.same(await memclient(registry, ['put', 'k', '--file', path]), DONE)
  t.strictSame(store.get('k'), [1, 2])
  t.same(await memclient(registry, ['put', 'k', '--bytes', '--file', path]), DONE)
  t.same(store.get('k'), Buffer.from('[1, 2]\n'))
  t.match(await memclient(registry, ['put', 'k', '--file', `${path}.none`]), {
    code: 1,
    stderr: /cannot read .*value\.none: ENOENT/,
  })
  t.match(await memclient(registry, ['put', 'k', 'v', '--file', path]), { code: 2, stderr: /exclude each other/ })
})

t.test('bytes come out as they are, and in JSON as base64', async (t) => {
  const { registry, store } = await startStore(t)
  const version = store.set('k', BINARY)
  t.match(await printedBytes(t, registry, ['get', 'k']), { code: 0, bytes: BINARY, stderr: '' })
  const { stdout } = await memclient(registry, ['get', 'k', '--json'])
  t.same(JSON.parse(stdout), {
    key: 'k',
    value: { $bytes: BINARY.toString('base64') },
    version: Number(version),
    type: 'bytes',
  })
  const text = store.set('k', { a: 1 })
  t.same(JSON.parse((await memclient(registry, ['get', 'k', '--json'])).stdout), {
    key: 'k',
    value: { a: 1 },
    version: Number(text),
    type: 'json',
  })
})

t.test('a key without a value is exit 3', async (t) => {
  const { registry, store } = await startStore(t)
  for (const args of [['get'], ['get', '--json'], ['delete'], ['delete', '--if-version', '0']]) {
    const [command = '', ...options] = args
    const ending = await memclient(registry, [command, 'none', ...options])
    t.match(ending, { code: 3, stdout: '', stderr: /SharedStore has no value for \\?"none/ }, args.join(' '))
  }
  store.set('k', 1)
  t.same(await memclient(registry, ['delete', 'k']), DONE)
  t.match(await memclient(registry, ['delete', 'k']), { code: 3 })
})

t.test('a condition that does not hold is exit 6, and nothing has happened', async (t) => {
  const { registry, store } = await startStore(t)
  const version = store.set('k', 1)
  for (const args of [
    ['put', 'k', '2', '--if-version', '0'],
    ['put', 'k', '2', '--if-version', String(version + 1n)],
    ['put', 'none', '2', '--if-version', '1'],
    ['delete', 'k', '--if-version', '0'],
    ['delete', 'none', '--if-version', '1'],
  ]) {
    t.match(
      await memclient(registry, args),
      { code: 6, stdout: '', stderr: /^memclient: (k|none) has/ },
      args.join(' '),
    )
  }
  t.equal(store.get('k'), 1)
  t.same(await memclient(registry, ['put', 'k', '2', '--if-version', String(version)]), DONE)
  t.equal(store.get('k'), 2)
  t.same(await memclient(registry, ['put', 'new', '3', '--if-version', '0']), DONE)
  const { stdout } = await memclient(registry, ['put', 'k', '4', '--json'])
  t.match(JSON.parse(stdout), { key: 'k', version: Number })
  t.match(await memclient(registry, ['delete', 'k', '--json', `--if-version=${JSON.parse(stdout).version}`]), {
    code: 0,
    stdout: /^\{"key":"k","deleted":true,"version":\d+\}$/,
  })
})

t.test('increment prints the sum', async (t) => {
  const { registry, store } = await startStore(t)
  for (const [by, sum] of [
    [[], '1'],
    [['5'], '6'],
    [['-10'], '-4'],
    [['.5'], '-3.5'],
    [['+1'], '-2.5'],
  ] as const) {
    t.same(await memclient(registry, ['increment', 'n', ...by]), { ...DONE, stdout: sum })
  }
  t.same(await memclient(registry, ['increment', 'n', '--json']), { ...DONE, stdout: '{"key":"n","value":-1.5}' })
  store.set('text', 'x')
  t.match(await memclient(registry, ['increment', 'text']), { code: 2, stdout: '' })
})

t.test('a value with a time to live goes by itself', async (t) => {
  const { registry, store } = await startStore(t)
  const isGone = (key: string) =>
    new Promise<void>((resolve) => {
      store.onChange = (change) => {
        if (change.key === key && change.value === undefined) resolve()
      }
    })
  for (const args of [
    ['put', 'k', '1', '--ttl', '0.2'],
    ['increment', 'n', '--ttl', '0.2'],
  ]) {
    const gone = isGone(args[1] as string)
    t.match(await memclient(registry, args), { code: 0, stderr: '' })
    await gone
  }
})

t.test('keys are one a line, sorted, of a prefix if one is given', async (t) => {
  const { registry, store } = await startStore(t)
  t.same(await memclient(registry, ['keys']), DONE)
  for (const key of ['b', 'a/2', 'a/1', 'a', 'with space']) store.set(key, 1)
  t.same(await memclient(registry, ['keys']), { ...DONE, stdout: 'a\na/1\na/2\nb\nwith space' })
  t.same(await memclient(registry, ['keys', 'a/']), { ...DONE, stdout: 'a/1\na/2' })
  t.same(await memclient(registry, ['keys', 'b', '--json']), { ...DONE, stdout: '{"key":"b"}' })
})

t.test('thousands of keys are all printed', async (t) => {
  const { registry, store } = await startStore(t)
  const names = Array.from({ length: 2500 }, (_, i) => `key/${String(i).padStart(4, '0')}`)
  for (const name of names) store.set(name, 0)
  t.same((await memclient(registry, ['keys'])).stdout.split('\n'), names)
})

t.test('another store is asked for by its name', async (t) => {
  const { registry } = await startStore(t)
  const { store } = await startStore(t, { name: 'flags', registry })
  t.same(await memclient(registry, ['--store', 'flags', 'put', 'k', '1']), DONE)
  t.equal(store.get('k'), 1)
  t.same(await memclient(registry, ['get', 'k', '--store=flags']), { ...DONE, stdout: '1' })
  t.match(await memclient(registry, ['get', 'k']), { code: 3, stderr: /SharedStore has no value/ })
})
