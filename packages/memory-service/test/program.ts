/** Command lines as memsvc understands them, in processes of their own: what ends in usage, and what each command prints. */
import { leakChecked, newRegistryPath, runProgram, watchdog } from '@memsvc/shared/test-support'
import t from 'tap'
import { MEMSVC, nodeChildProcess } from '../test-support/index.ts'

watchdog(t)
leakChecked(t)

type Usage = [args: string[], complaint: RegExp]

const USAGE: Usage[] = [
  [[], /Usage: memsvc/],
  [['serve'], /unknown command 'serve'/],
  [['--frob'], /unknown option '--frob'/],
  [['start', '--frob'], /unknown option '--frob'/],
  [['start', 'operand'], /too many arguments/],
  [['start', '--json'], /unknown option '--json'/],
  [['start', '--name'], /argument missing/],
  [['start', '--name', ''], /1 to 127 characters/],
  [['start', '--name', 'a b'], /1 to 127 characters/],
  [['start', '--name', 'a'.repeat(128)], /1 to 127 characters/],
  [['start', '--socket-mode', '999'], /three octal digits/],
  [['start', '--socket-mode', '4755'], /three octal digits/],
  [['start', '--socket-mode', '0x1ff'], /three octal digits/],
  [['start', '--socket-mode', ''], /three octal digits/],
  [['start', '--log-level', 'loud'], /one of trace, debug/],
  [['start', '--registry', ''], /1 to 107 bytes/],
  [['start', '--writers', 'nobody-has-this-name'], /there is no user nobody-has-this-name/],
  [['start', '--writers', '4294967295'], /at most 4294967294/],
  [['start', '--writers'], /argument missing/],
  ...['0', '', '1.5', '01', '1e3', '1000001', '9999999', '10000000', 'many'].map(
    (count): Usage => [['start', '--max-connections', count], /integer from 1 to 1000000/],
  ),
  ...['0', '', '.5', '1e3', '1000001', 'soon'].map(
    (seconds): Usage => [['replicate', '--ready-within', seconds], /number of seconds above 0/],
  ),
  [['registry', '--writers', '1'], /unknown option '--writers'/],
  [['registry', '--name', 'x'], /unknown option '--name'/],
  [['status', 'one', 'two'], /too many arguments/],
  [['stop', 'one', 'two'], /too many arguments/],
  [['list', 'one'], /too many arguments/],
  [['list', '--timeout'], /argument missing/],
  [['list', '--timeout', '0'], /number of seconds above 0/],
  [['stop', '--timeout', 'soon'], /number of seconds above 0/],
  [['start', '--timeout', '5'], /unknown option '--timeout'/],
]

for (const [args, complaint] of USAGE) {
  t.test(`\`memsvc ${args.join(' ').slice(0, 60)}\` is wrong usage: exit 2, and why`, async (t) => {
    const { code, stdout, stderr } = await runProgram(MEMSVC, args)
    t.equal(code, 2)
    t.equal(stdout, '')
    t.match(stderr, complaint)
  })
}

t.test('--help and --version are data', async (t) => {
  t.match(await runProgram(MEMSVC, ['--help']), { code: 0, stdout: /^Usage: memsvc/, stderr: '' })
  t.match(await runProgram(MEMSVC, ['start', '--help']), { code: 0, stdout: /octal\s+\(default: 600\)/, stderr: '' })
  t.match(await runProgram(MEMSVC, ['--version']), { code: 0, stdout: /^\d+\.\d+\.\d+$/, stderr: '' })
})

t.test('help that nobody reads any more ends in silence', async (t) => {
  // The shell is the only reader of the fifo, and closes it.
  const script = 'mkfifo pipe && exec 4<>pipe 3>pipe 4<&- && exec "$0" "$1" --help >&3'
  const options = { cwd: t.testdir(), encoding: 'utf8' } as const
  const { status, stderr } = nodeChildProcess.spawnSync('sh', ['-c', script, process.execPath, MEMSVC], options)
  t.same({ status, stderr }, { status: 0, stderr: '' })
})

for (const args of [['status'], ['status', '--json', 'name'], ['list'], ['stop'], ['stop', '--json', 'name']]) {
  t.test(`\`memsvc ${args.join(' ')}\` without a registry ends with 3 at once`, async (t) => {
    const registry = newRegistryPath(t)
    const { code, stdout, stderr } = await runProgram(MEMSVC, [...args, '--registry', registry])
    t.equal(code, 3)
    t.equal(stdout, '')
    const message = `no registry at ${registry}: start one with 'memsvc start' and --registry ${registry}`
    if (!args.includes('--json')) t.equal(stderr, `memsvc: ${message}`)
    else t.strictSame(JSON.parse(stderr), { code: 'ERR_REGISTRY_UNAVAILABLE', message, exitCode: 3 })
  })
}

t.test('with --json what is wrong with the line is an object too', async (t) => {
  const { code, stdout, stderr } = await runProgram(MEMSVC, ['list', '--json', '--nothing'])
  t.strictSame({ code, stdout }, { code: 2, stdout: '' })
  t.match(JSON.parse(stderr), { code: 'ERR_INVALID_ARG_VALUE', message: /--nothing/, exitCode: 2 })
})
