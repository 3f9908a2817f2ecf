/** What the README shows runs, and what it says is so. */

import t, { type Test } from 'tap'
import * as memfdNative from '../src/index.ts'
import { nodeFs, nodePath, nodeUrl, runNode, tempFolder } from '../test-support/index.ts'

const packageRoot = nodeUrl.fileURLToPath(new URL('../..', import.meta.url))
const readme = nodeFs.readFileSync(nodePath.join(packageRoot, 'README.md'), 'utf8')

/** A folder with the README's programs, and this package installed. */
function installExample(t: Test): string {
  const folder = tempFolder(t)
  for (const [, code, name] of readme.matchAll(/^```js\n(\/\/ (\S+)\n.*?)^```$/gms)) {
    nodeFs.writeFileSync(nodePath.join(folder, name as string), code as string)
  }
  nodeFs.mkdirSync(nodePath.join(folder, 'node_modules'))
  nodeFs.symlinkSync(packageRoot, nodePath.join(folder, 'node_modules/memfd-native'))
  return folder
}

t.test('the example passes a descriptor to another process', async (t) => {
  const { status, output, errors } = runNode(['sender.mjs'], 'pipe', installExample(t))
  t.same({ status, output, errors }, { status: 0, output: 'a greeting: hello\n', errors: '' })
})

t.test('the example of a stream passes a descriptor', async (t) => {
  const { status, output, errors } = runNode(['stream.mjs'], 'pipe', installExample(t))
  t.same({ status, output, errors }, { status: 0, output: '1 descriptor\nand its bytes\n', errors: '' })
})

t.test('every name in the table of what there is is exported', async (t) => {
  const table = readme.slice(readme.indexOf('## What there is'), readme.indexOf('Everything is synchronous'))
  const names = [...table.matchAll(/`(\w+)`/g)]
    .map(([, name]) => name as string)
    .filter((name) => !/^(un|pro)/.test(name))
  t.ok(names.length > 30)
  for (const name of names) t.ok(name in memfdNative, name)
})

t.test('the permission model asks for --allow-addons', async (t) => {
  const flag = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission'
  const program = ['--no-warnings', flag, '--allow-fs-read=*', nodePath.join(packageRoot, 'dist/src/index.js')]
  t.match(runNode(program).errors, /ERR_DLOPEN_DISABLED/)
  t.equal(runNode(['--allow-addons', ...program]).status, 0)
})
