/** The units as files: what systemd's own tools say of them, and how they are fitted to an installation. */

import t, { type Test } from 'tap'
import type { Installation } from '../../src/systemd/installation.ts'
import { isOurs, makeUnitFiles, type Scope } from '../../src/systemd/unit-files.ts'
import { nodeChildProcess, nodeFs, nodeOs, nodePath, nodeUrl } from '../../test-support/index.ts'

const UNITS = nodeUrl.fileURLToPath(new URL('../../../systemd', import.meta.url))
const LATEST = 999
const MAX_EXPOSURE = 0.5
const HERE: Installation = { node: process.execPath, program: '/opt/memsvc/bin/memsvc.js', root: '/opt/memsvc' }

const noTools =
  nodeChildProcess.spawnSync('systemd-analyze', ['--version']).status === 0 ? false : 'needs systemd-analyze'

function analyze(t: Test, ...args: string[]): { status: number | null; said: string } {
  const runtimeFolder = nodeFs.mkdtempSync(nodePath.join(nodeOs.tmpdir(), 'memsvc-'))
  t.teardown(() => nodeFs.rmSync(runtimeFolder, { recursive: true }))
  const env = { ...process.env, XDG_RUNTIME_DIR: runtimeFolder }
  const { status, stdout, stderr } = nodeChildProcess.spawnSync('systemd-analyze', args, { encoding: 'utf8', env })
  return { status, said: stdout + stderr }
}

/** From 0, confined, to 10. */
function exposure(t: Test, unit: string): number {
  const { said } = analyze(t, 'security', '--offline=yes', unit)
  return Number(/Overall exposure level .*: ([\d.]+)/.exec(said)?.[1])
}

function text(scope: Scope, name: string, installation = HERE): string {
  return makeUnitFiles(scope, installation, LATEST).find((file) => file.name === name)?.text ?? ''
}

for (const [scope, folder] of [
  ['system', UNITS],
  ['user', nodePath.join(UNITS, 'user')],
] as const) {
  t.test(`systemd finds nothing to say about the ${scope} units`, { skip: noTools }, async (t) => {
    const units = ['memsvc.service', 'memsvc.socket'].map((name) => nodePath.join(folder, name))
    t.strictSame(analyze(t, 'verify', `--${scope}`, ...units), { status: 0, said: '' })
  })
}

t.test('the service is as confined as it can be', { skip: noTools }, async (t) => {
  t.ok(exposure(t, nodePath.join(UNITS, 'memsvc.service')) <= MAX_EXPOSURE)
})

t.test('a fitted service in a home folder is verified and confined as well', { skip: noTools }, async (t) => {
  const folder = nodeFs.mkdtempSync(nodePath.join(nodeOs.tmpdir(), 'memsvc-'))
  t.teardown(() => nodeFs.rmSync(folder, { recursive: true }))
  for (const file of makeUnitFiles('system', { ...HERE, root: '/home/somebody/memsvc' }, 0)) {
    nodeFs.writeFileSync(nodePath.join(folder, file.name), file.text)
  }
  const units = ['memsvc.service', 'memsvc.socket'].map((name) => nodePath.join(folder, name))
  t.strictSame(analyze(t, 'verify', ...units), { status: 0, said: '' })
  t.ok(exposure(t, nodePath.join(folder, 'memsvc.service')) <= MAX_EXPOSURE)
})

const dropIns: [Scope, number, string[]][] = [
  ['system', 252, []],
  ['system', 254, ['254.conf']],
  ['system', 256, ['254.conf']],
  ['system', 257, ['254.conf', '257.conf']],
  ['user', 257, ['254.conf']],
]
for (const [scope, version, expected] of dropIns) {
  t.test(`a ${scope} systemd ${version} gets the drop-ins ${expected.join(', ') || '(none)'}`, async (t) => {
    const names = makeUnitFiles(scope, HERE, version).map(({ name }) => name)
    const wanted = ['memsvc.socket', 'memsvc.service', ...expected.map((name) => `memsvc.service.d/${name}`)]
    t.strictSame(names, wanted)
  })
}

t.test('the program is started by its absolute paths, quoted where systemd would misread them', async (t) => {
  const installation = { node: '/opt/node 20/bin/node', program: '/opt/100%/"memsvc".js', root: '/opt' }
  t.match(
    text('system', 'memsvc.service', installation),
    /^ExecStart="\/opt\/node 20\/bin\/node" "\/opt\/100%%\/\\"memsvc\\".js" start /m,
  )
  t.match(
    text('user', 'memsvc.service'),
    `ExecStart=${HERE.node} ${HERE.program} start --registry %t/memsvc/registry.sock\n`,
  )
})

t.test('folders that are hidden from the service are shown to it where the program lies in them', async (t) => {
  const hidden = text('system', 'memsvc.service', { ...HERE, node: '/home/x/.nvm/bin/node', root: '/home/x/memsvc' })
  t.match(hidden, 'ProtectHome=tmpfs\nBindReadOnlyPaths=/home/x/.nvm/bin/node\nBindReadOnlyPaths=/home/x/memsvc\n')
  t.match(text('system', 'memsvc.service'), 'ProtectHome=yes\n')
})

t.test('unit files that we wrote are recognized', async (t) => {
  for (const file of makeUnitFiles('system', HERE, LATEST)) t.ok(isOurs(file.text), file.name)
  t.notOk(isOurs('[Service]\nExecStart=/bin/true\n'))
})
