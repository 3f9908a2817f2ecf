/** Compiled code beside the bundle makes memclient start sooner; whatever it is, and if it is not there, memclient works. */

import { Script } from 'node:vm'
import { leakChecked, runProgram, watchdog } from '@memsvc/shared/test-support'
import t, { type Test } from 'tap'
import * as support from '../../test-support/index.ts'

watchdog(t)
leakChecked(t)

const PACKAGE = support.nodePath.dirname(support.nodePath.dirname(support.MEMCLIENT))
const RECORDER = support.nodeUrl.fileURLToPath(new URL('../../../../../scripts/lib/record-code.cjs', import.meta.url))
const NATIVE = support.nodeUrl.fileURLToPath(new URL('../../../../memfd-native', import.meta.url))

/** memclient once more, with its compiled code, which is the caller's to spoil. */
function install(t: Test) {
  const folder = support.nodeFs.mkdtempSync(support.nodePath.join(support.nodeOs.tmpdir(), 'memclient-'))
  t.teardown(() => support.nodeFs.rmSync(folder, { recursive: true }))
  support.nodeFs.mkdirSync(support.nodePath.join(folder, 'client-cli'))
  const built = ['memclient', 'quick-read'].flatMap((name) => [`dist/${name}.cjs`, `dist/${name}.code-cache`])
  for (const part of ['bin', ...built]) {
    support.nodeFs.cpSync(support.nodePath.join(PACKAGE, part), support.nodePath.join(folder, 'client-cli', part), {
      recursive: true,
    })
  }
  support.nodeFs.symlinkSync(NATIVE, support.nodePath.join(folder, 'memfd-native'))
  const program = support.nodePath.join(folder, 'client-cli/bin/memclient.cjs')
  return {
    program,
    codeCaches: ['memclient', 'quick-read'].map((name) =>
      support.nodePath.join(folder, `client-cli/dist/${name}.code-cache`),
    ),
  }
}

t.test('a code cache is used by the Node.js that recorded it', async (t) => {
  const { registry } = await support.startMemsvc(t)
  for (const codeCache of install(t).codeCaches) {
    support.nodeFs.rmSync(codeCache)
    const bundle = codeCache.replace(/code-cache$/, 'cjs')
    t.match(support.nodeChildProcess.spawnSync(process.execPath, [RECORDER, bundle, 'read', '--registry', registry]), {
      status: 0,
    })
    const source = `(function (require, __dirname, module) {${support.nodeFs.readFileSync(bundle, 'latin1')}\n})`
    const script = new Script(source, { cachedData: support.nodeFs.readFileSync(codeCache) })
    t.equal(script.cachedDataRejected, false)
  }
})

const SPOILT: [string, (codeCache: string) => void][] = [
  ['as it was built', () => undefined],
  ['not there', (codeCache) => support.nodeFs.rmSync(codeCache)],
  ['empty', (codeCache) => support.nodeFs.truncateSync(codeCache)],
  ['cut off', (codeCache) => support.nodeFs.truncateSync(codeCache, 1000)],
  ['something else', (codeCache) => support.nodeFs.writeFileSync(codeCache, 'x'.repeat(100_000))],
]

for (const [title, spoil] of SPOILT) {
  t.test(`compiled code that is ${title}`, async (t) => {
    const { registry } = await support.startMemsvc(t)
    const { program, codeCaches } = install(t)
    for (const codeCache of codeCaches) spoil(codeCache)
    for (const args of [['read'], ['--json', 'read']]) {
      t.match(await runProgram(program, [...args, '--registry', registry]), { code: 0, stdout: /0/, stderr: '' })
    }
  })
}

t.test('a Node.js with other flags takes no compiled code', async (t) => {
  const { registry } = await support.startMemsvc(t)
  const args = ['--max-lazy', support.MEMCLIENT, 'read', '--registry', registry]
  t.match(support.nodeChildProcess.spawnSync(process.execPath, args, { encoding: 'utf8' }), {
    status: 0,
    stdout: '0\n',
    stderr: '',
  })
})
