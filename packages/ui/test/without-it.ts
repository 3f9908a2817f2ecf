/** What `memclient ui` says where something is missing or wrong. */
import { leakChecked, runProgram, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import * as support from '../test-support/index.ts'

const { entryText, MEMCLIENT, memclient, newRegistryPath, nodeFs, nodeOs, nodePath, preview, readEdit } = support

watchdog(t)
leakChecked(t)

t.test('if the window is not installed, the error says how to install it', async (t) => {
  // Outside of this repository, which has it.
  const folder = nodeFs.mkdtempSync(nodePath.join(nodeOs.tmpdir(), 'memclient-'))
  t.teardown(() => nodeFs.rmSync(folder, { recursive: true }))
  for (const name of ['bin', 'dist', 'node_modules']) nodeFs.mkdirSync(nodePath.join(folder, name))
  const tool = nodePath.join(folder, 'bin/memclient.cjs')
  nodeFs.cpSync(MEMCLIENT, tool)
  nodeFs.cpSync(nodePath.join(MEMCLIENT, '../../dist/memclient.cjs'), nodePath.join(folder, 'dist/memclient.cjs'))
  nodeFs.symlinkSync(
    nodePath.join(MEMCLIENT, '../../../memfd-native'),
    nodePath.join(folder, 'node_modules/memfd-native'),
  )
  const { code, stdout, stderr } = await runProgram(tool, ['ui', '--registry', newRegistryPath(t)])
  t.match(
    { code, stdout, stderr },
    { code: 1, stdout: '', stderr: /@memsvc\/ui, which is not installed: npm install @memsvc\/ui/ },
  )
})

t.test('a port that is none, or taken, is refused', async (t) => {
  const registry = newRegistryPath(t)
  t.match(await memclient(registry, ['ui', '--port', '65536']), { code: 2, stdout: '', stderr: /--port must be/ })
  const server = (await import('node:net')).createServer().listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  t.match(await memclient(registry, ['ui', '--no-start', '--port', String(port)]), { code: 1, stderr: /EADDRINUSE/ })
})

t.test('values are JSON, text, bytes that are text, or bytes that are not', async (t) => {
  const entry = { key: 'k', version: 1n, byteLength: 3 }
  t.match(entryText({ ...entry, type: 'json', value: { a: 1 } }), { text: '{\n  "a": 1\n}', mode: 'json' })
  t.match(entryText({ ...entry, type: 'json', value: 'x' }), { text: 'x', mode: 'text' })
  t.match(entryText({ ...entry, type: 'bytes', value: Buffer.from('é') }), { text: 'é', mode: 'text' })
  t.match(entryText({ ...entry, type: 'bytes', value: Buffer.from([255]) }), { text: null })
  t.strictSame(readEdit({ text: '[1]', mode: 'json' }), [1])
  t.strictSame(readEdit({ text: '[1]', mode: 'text' }), '[1]')
  t.strictSame(readEdit({ text: 'é', mode: 'bytes' }), new TextEncoder().encode('é'))
  for (const wrong of [
    { text: '{', mode: 'json' },
    { text: '', mode: 'yaml' },
  ])
    t.throws(() => readEdit(wrong), { code: 'ERR_INVALID_ARG_VALUE' })
  t.equal(preview('x'.repeat(500)).length, 120)
})
