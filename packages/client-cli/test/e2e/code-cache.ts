/** Compiled code beside the bundle makes memclient start sooner; whatever it is, and if it is not there, memclient works. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Script } from 'node:vm'
import { leakChecked, runProgram, watchdog } from '@memsvc/shared/test-support'
import t, { type Test } from 'tap'
import { MEMCLIENT, startMemsvc } from '../../test-support/commands.ts'

watchdog(t)
leakChecked(t)

const PACKAGE = dirname(dirname(MEMCLIENT))
const RECORDER = fileURLToPath(new URL('../../../../../scripts/lib/record-code.cjs', import.meta.url))
const NATIVE = fileURLToPath(new URL('../../../../memfd-native', import.meta.url))

/** memclient once more, with its compiled code, which is the caller's to spoil. */
function install(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'memclient-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'client-cli'))
  const built = ['memclient', 'quick-read'].flatMap((name) => [`dist/${name}.cjs`, `dist/${name}.code-cache`])
  for (const part of ['bin', ...built]) {
    cpSync(join(PACKAGE, part), join(folder, 'client-cli', part), { recursive: true })
  }
  symlinkSync(NATIVE, join(folder, 'memfd-native'))
  const program = join(folder, 'client-cli/bin/memclient.js')
  return {
    program,
    codeCaches: ['memclient', 'quick-read'].map((name) => join(folder, `client-cli/dist/${name}.code-cache`)),
  }
}

t.test('what is recorded is taken by the Node.js that recorded it', async (t) => {
  const { registry } = await startMemsvc(t)
  for (const codeCache of install(t).codeCaches) {
    rmSync(codeCache)
    const bundle = codeCache.replace(/code-cache$/, 'cjs')
    t.match(spawnSync(process.execPath, [RECORDER, bundle, 'read', '--registry', registry]), { status: 0 })
    const source = `(function (require, __dirname, module) {${readFileSync(bundle, 'latin1')}\n})`
    const script = new Script(source, { cachedData: readFileSync(codeCache) })
    t.equal(script.cachedDataRejected, false)
  }
})

const SPOILT: [string, (codeCache: string) => void][] = [
  ['as it was built', () => undefined],
  ['not there', (codeCache) => rmSync(codeCache)],
  ['empty', (codeCache) => truncateSync(codeCache)],
  ['cut off', (codeCache) => truncateSync(codeCache, 1000)],
  ['something else', (codeCache) => writeFileSync(codeCache, 'x'.repeat(100_000))],
]

for (const [title, spoil] of SPOILT) {
  t.test(`compiled code that is ${title}`, async (t) => {
    const { registry } = await startMemsvc(t)
    const { program, codeCaches } = install(t)
    for (const codeCache of codeCaches) spoil(codeCache)
    for (const args of [['read'], ['--json', 'read']]) {
      t.match(await runProgram(program, [...args, '--registry', registry]), { code: 0, stdout: /0/, stderr: '' })
    }
  })
}

t.test('a Node.js with other flags takes no compiled code', async (t) => {
  const { registry } = await startMemsvc(t)
  const args = ['--max-lazy', MEMCLIENT, 'read', '--registry', registry]
  t.match(spawnSync(process.execPath, args, { encoding: 'utf8' }), { status: 0, stdout: '0\n', stderr: '' })
})
