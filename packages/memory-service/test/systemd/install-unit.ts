/** `memsvc install-unit`, for this user's systemd: no root, and a configuration folder of the test's own. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Ending, runProgram, watchdog } from '@memsvc/shared/test-support'
import t, { type Test } from 'tap'

const MEMSVC = fileURLToPath(new URL('../../../bin/memsvc.js', import.meta.url))

watchdog(t)

interface Home {
  /** Where the units go. */
  folder: string
  installUnit(...args: string[]): Promise<Ending>
}

function newHome(t: Test): Home {
  const config = mkdtempSync(join(tmpdir(), 'memsvc-'))
  t.teardown(() => rmSync(config, { recursive: true }))
  return {
    folder: join(config, 'systemd/user'),
    installUnit: (...args) => runProgram(MEMSVC, ['install-unit', ...args], { env: { XDG_CONFIG_HOME: config } }),
  }
}

const noSystemd = existsSync('/lib/systemd/systemd') ? false : 'needs systemd'

t.test('--print shows the files and writes none', async (t) => {
  const { folder, installUnit } = newHome(t)
  const { code, stdout, stderr } = await installUnit('--user', '--print')
  t.strictSame({ code, stderr }, { code: 0, stderr: '' })
  t.match(stdout, `# ${join(folder, 'memsvc.socket')}\n`)
  t.match(stdout, `ExecStart=${process.execPath} ${MEMSVC} start --registry %t/memsvc/registry.sock\n`)
  t.notOk(existsSync(folder))
})

t.test('--print --system shows where the files would go', async (t) => {
  const { stdout } = await newHome(t).installUnit('--system', '--print')
  t.match(stdout, '# /etc/systemd/system/memsvc.service\n')
})

t.test('the files are written, named on stdout, and written again', { skip: noSystemd }, async (t) => {
  const { folder, installUnit } = newHome(t)
  for (let round = 0; round < 2; round++) {
    const { code, stdout, stderr } = await installUnit('--user')
    t.equal(code, 0)
    t.match(stdout.split('\n'), [join(folder, 'memsvc.socket'), join(folder, 'memsvc.service')])
    t.match(stderr, 'systemctl --user daemon-reload')
    t.match(readFileSync(join(folder, 'memsvc.service'), 'utf8'), '[Service]')
  }
})

const obstacles: [string, (path: string) => void][] = [
  ['a file of somebody else', (path) => writeFileSync(path, '[Service]\n')],
  ['a mask', (path) => symlinkSync('/dev/null', path)],
  ['a directory', (path) => mkdirSync(path)],
]
for (const [name, put] of obstacles) {
  t.test(`${name} in the way is left alone, and nothing is written`, { skip: noSystemd }, async (t) => {
    const { folder, installUnit } = newHome(t)
    mkdirSync(folder, { recursive: true })
    put(join(folder, 'memsvc.service'))
    const { code, stdout, stderr } = await installUnit('--user')
    t.strictSame({ code, stdout }, { code: 1, stdout: '' })
    t.match(stderr, `${join(folder, 'memsvc.service')} exists and was not written by memsvc`)
    t.strictSame(readdirSync(folder), ['memsvc.service'])
  })
}

t.test('--user and --system exclude each other', async (t) => {
  t.match(await newHome(t).installUnit('--user', '--system'), { code: 2, stderr: /exclude each other/ })
})
