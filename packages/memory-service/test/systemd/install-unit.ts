/** `memsvc install-unit`, for this user's systemd: no root, and a configuration folder of the test's own. */

import { type Ending, type ProgramOptions, runProgram, watchdog } from '@memsvc/shared/test-support'
import t, { type Test } from 'tap'
import { nodeChildProcess, nodeFs, nodeOs, nodePath, nodeUrl } from '../../test-support/index.ts'

const MEMSVC = nodeUrl.fileURLToPath(new URL('../../../bin/memsvc.js', import.meta.url))

watchdog(t)

interface Home {
  /** Where the units go. */
  folder: string
  installUnit(args: readonly string[], options?: ProgramOptions): Promise<Ending>
}

function newHome(t: Test): Home {
  const config = nodeFs.mkdtempSync(nodePath.join(nodeOs.tmpdir(), 'memsvc-'))
  t.teardown(() => nodeFs.rmSync(config, { recursive: true }))
  return {
    folder: nodePath.join(config, 'systemd/user'),
    installUnit: (args, { env, ...options } = {}) =>
      runProgram(MEMSVC, ['install-unit', ...args], { env: { XDG_CONFIG_HOME: config, ...env }, ...options }),
  }
}

const noSystemd = nodeFs.existsSync('/lib/systemd/systemd') ? false : 'needs systemd'

t.test('--print shows the files and writes none', async (t) => {
  const { folder, installUnit } = newHome(t)
  const { code, stdout, stderr } = await installUnit(['--user', '--print'])
  t.strictSame({ code, stderr }, { code: 0, stderr: '' })
  t.match(stdout, `# ${nodePath.join(folder, 'memsvc.socket')}\n`)
  t.match(stdout, `ExecStart=${process.execPath} ${MEMSVC} start --registry %t/memsvc/registry.sock\n`)
  t.notOk(nodeFs.existsSync(folder))
})

t.test('--print --system shows where the files would go', async (t) => {
  const { stdout } = await newHome(t).installUnit(['--system', '--print'])
  t.match(stdout, '# /etc/systemd/system/memsvc.service\n')
})

t.test('without a home it says so, and writes nothing where it happens to be', async (t) => {
  for (const home of ['', 'relative']) {
    const env = { HOME: home, XDG_CONFIG_HOME: 'relative' }
    t.match(await newHome(t).installUnit(['--user', '--print'], { env }), {
      code: 2,
      stdout: '',
      stderr: `memsvc: HOME must be an absolute path, got "${home}"`,
    })
  }
})

t.test('the files are written, named on stdout, and written again', { skip: noSystemd }, async (t) => {
  const { folder, installUnit } = newHome(t)
  for (let round = 0; round < 2; round++) {
    const { code, stdout, stderr } = await installUnit(['--user'])
    t.equal(code, 0)
    t.match(stdout.split('\n'), [nodePath.join(folder, 'memsvc.socket'), nodePath.join(folder, 'memsvc.service')])
    t.match(stderr, 'systemctl --user daemon-reload')
    t.match(nodeFs.readFileSync(nodePath.join(folder, 'memsvc.service'), 'utf8'), '[Service]')
  }
})

const obstacles: [string, (path: string) => void][] = [
  ['a file of somebody else', (path) => nodeFs.writeFileSync(path, '[Service]\n')],
  ['a mask', (path) => nodeFs.symlinkSync('/dev/null', path)],
  ['a directory', (path) => nodeFs.mkdirSync(path)],
]
for (const [name, put] of obstacles) {
  t.test(`${name} in the way is left alone, and nothing is written`, { skip: noSystemd }, async (t) => {
    const { folder, installUnit } = newHome(t)
    nodeFs.mkdirSync(folder, { recursive: true })
    put(nodePath.join(folder, 'memsvc.service'))
    const { code, stdout, stderr } = await installUnit(['--user'])
    t.strictSame({ code, stdout }, { code: 1, stdout: '' })
    t.match(stderr, `${nodePath.join(folder, 'memsvc.service')} exists and was not written by memsvc`)
    t.strictSame(nodeFs.readdirSync(folder), ['memsvc.service'])
  })
}

/** A mount namespace of its own, where the machine's units would be written to memory. */
const APART = ['unshare', '-m', 'sh', '-c']
const PREPARE =
  'mount -t tmpfs none /etc/systemd/system && mount -t tmpfs none /run && mkdir -m 700 /run/own && exec "$0" "$@"'
const mayMount = nodeChildProcess.spawnSync('unshare', [...APART.slice(1), PREPARE, 'true']).status === 0
const notHere = noSystemd || (mayMount ? false : 'needs root')

t.test(
  'where only its owner may enter, his systemd may run it, and the machine’s not',
  { skip: notHere },
  async (t) => {
    const { installUnit, folder } = newHome(t)
    const elsewhere = 'data:text/javascript,process.execPath="/run/own/node"'
    const options = { env: { NODE_OPTIONS: `--import=${encodeURI(elsewhere)}` }, prefix: [...APART, PREPARE] }
    t.match(await installUnit(['--system'], options), {
      code: 1,
      stdout: '',
      stderr: 'as its own user, which may not enter /run/own',
    })
    t.match(await installUnit(['--user'], options), { code: 0 })
    t.match(nodeFs.readFileSync(nodePath.join(folder, 'memsvc.service'), 'utf8'), 'ExecStart=/run/own/node ')
  },
)

t.test('--user and --system exclude each other', async (t) => {
  t.match(await newHome(t).installUnit(['--user', '--system']), { code: 2, stderr: /exclude each other/ })
})

/** What `--replicate` adds, for this configuration. */
async function replicateUnit(t: Test, replicate: object | null): Promise<Ending & { file: string; unit: string }> {
  const file = nodePath.join(nodeFs.realpathSync(t.testdir({})), 'memsvc.json')
  nodeFs.writeFileSync(file, JSON.stringify(replicate === null ? {} : { replicate }))
  const ending = await newHome(t).installUnit(['--system', '--print', '--replicate', '--config', file])
  const [, unit = ''] = ending.stdout.split('# /etc/systemd/system/memsvc-replicate.service\n')
  return { ...ending, file, unit }
}

t.test('--replicate adds the replicator’s unit: its network leads to etcd, its secrets are credentials', async (t) => {
  const { code, stdout, unit, file } = await replicateUnit(t, {
    endpoints: ['https://10.0.0.1:2379', 'https://10.0.0.2', 'https://[fd00::3]:2379', 'https://10.0.0.1:2380'],
    ...{ ca: '/etc/ssl/ours.pem', cert: 'web.pem', key: 'web-key.pem', user: 'web', passwordFile: 'p%' },
  })
  t.equal(code, 0)
  t.match(stdout, '# /etc/systemd/system/memsvc.service\n')
  const lines = unit.split('\n')
  t.match(lines[0], 'Written by memsvc install-unit')
  t.ok(
    lines.includes(
      `ExecStart=${process.execPath} ${MEMSVC} replicate --registry /run/memsvc/registry.sock --ready-within 15`,
    ),
  )
  t.strictSame(
    lines.filter((line) => line.startsWith('IPAddress')),
    ['IPAddressDeny=any', 'IPAddressAllow=10.0.0.1 10.0.0.2 fd00::3'],
  )
  const folder = nodePath.dirname(file)
  t.strictSame(
    lines.filter((line) => line.startsWith('LoadCredential')),
    ['p%%', 'web.pem', 'web-key.pem'].map((name) => `LoadCredential=${name}:${folder}/${name}`),
  )
  t.ok(lines.includes('DynamicUser=yes'))
})

t.test('--replicate without secrets loads none', async (t) => {
  const { unit } = await replicateUnit(t, { endpoints: ['http://localhost:2379'] })
  t.match(unit, '\nIPAddressAllow=localhost\n')
  t.notMatch(unit, 'LoadCredential')
})

t.test('--replicate without a place of etcd, or for a user’s systemd, writes nothing', async (t) => {
  t.match(await replicateUnit(t, null), { code: 2, stdout: '', stderr: /the address of etcd is missing/ })
  t.match(await newHome(t).installUnit(['--user', '--print', '--replicate']), {
    stdout: '',
    stderr: /machine's systemd/,
  })
  t.match(await newHome(t).installUnit(['--system', '--print', '--replicate', '--config', '/nowhere/memsvc.json']), {
    stdout: '',
    stderr: /nowhere/,
  })
})
