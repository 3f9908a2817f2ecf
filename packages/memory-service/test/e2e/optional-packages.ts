/** Packages that are loaded only when they are asked for: without them the command says what to install, and nothing else fails. */
import { leakChecked, newRegistryPath, runProgram, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import { MEMSVC, nodeFs, nodePath, nodeUrl } from '../../test-support/index.ts'

watchdog(t)
leakChecked(t)

/** For NODE_OPTIONS: this package is not there. */
function without(folder: string, name: string): string {
  const [hooks, begin] = ['hooks.mjs', 'begin.mjs'].map((file) => nodePath.join(folder, file)) as [string, string]
  nodeFs.writeFileSync(
    hooks,
    `export async function resolve(name, context, next) {
      if (name !== '${name}') return next(name, context)
      throw Object.assign(new Error("Cannot find package '${name}'"), { code: 'ERR_MODULE_NOT_FOUND' })
    }`,
  )
  nodeFs.writeFileSync(begin, `import { register } from 'node:module'\nregister('${nodeUrl.pathToFileURL(hooks)}')`)
  return `--import=${begin}`
}

const COMMANDS: [name: string, args: (folder: string) => string[], advice: RegExp][] = [
  ['lmdb', (folder) => ['start', '--state', folder], /--state needs the package lmdb.*: npm install lmdb@3/],
  [
    '@memsvc/replication',
    () => ['replicate', '--endpoint', 'http://127.0.0.1:1'],
    /memsvc replicate needs the package @memsvc\/replication.*: npm install @memsvc\/replication/,
  ],
]

for (const [name, args, advice] of COMMANDS) {
  t.test(`without ${name} there is one line, with what to install`, async (t) => {
    const folder = t.testdir({})
    nodeFs.chmodSync(folder, 0o700)
    const line = [...args(nodePath.join(folder, 'state')), '--registry', newRegistryPath(t)]
    const { code, stdout, stderr } = await runProgram(MEMSVC, line, { env: { NODE_OPTIONS: without(folder, name) } })
    t.strictSame({ code, stdout }, { code: 1, stdout: '' })
    const lines = stderr.split('\n').filter((each) => !each.startsWith('{'))
    t.match(lines, [advice])
    t.equal(lines.length, 1)
  })
}
