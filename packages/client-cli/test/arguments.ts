/** Both readers of the command line: they must agree wherever the quick one answers. */
import t from 'tap'
import { readPlainArguments, withWaitJoined } from '../src/arguments.ts'
import { COMMANDS } from '../src/command-table.ts'
import { readArguments } from '../src/program.ts'

const PLAIN_LINES: [line: string, expected: object][] = [
  ['read', { command: 'read', operands: [], options: {} }],
  ['read NAME', { command: 'read', operands: ['NAME'], options: {} }],
  ['read --json', { command: 'read', operands: [], options: { json: true } }],
  ['read --json NAME --json', { command: 'read', operands: ['NAME'], options: { json: true } }],
  ['--json read', { command: 'read', operands: [], options: { json: true } }],
  ['read --registry /r', { command: 'read', operands: [], options: { registry: '/r' } }],
  ['read --registry /r NAME', { command: 'read', operands: ['NAME'], options: { registry: '/r' } }],
  ['read NAME --registry /r', { command: 'read', operands: ['NAME'], options: { registry: '/r' } }],
  ['--registry /r read NAME', { command: 'read', operands: ['NAME'], options: { registry: '/r' } }],
  ['read --registry=/r', { command: 'read', operands: [], options: { registry: '/r' } }],
  ['read --registry=/r --registry /s', { command: 'read', operands: [], options: { registry: '/s' } }],
  ['read --registry --json', { command: 'read', operands: [], options: { registry: '--json' } }],
  ['read --registry=', { command: 'read', operands: [], options: { registry: '' } }],
  ['--system read', { command: 'read', operands: [], options: { system: true } }],
  ['read NAME --user', { command: 'read', operands: ['NAME'], options: { user: true } }],
  ['read --registry-owner 7', { command: 'read', operands: [], options: { registryOwner: '7' } }],
  ['--registry-owner=7 list', { command: 'list', operands: [], options: { registryOwner: '7' } }],
  ['read --timeout 0.5', { command: 'read', operands: [], options: { timeout: '0.5' } }],
  ['--timeout=-1 list', { command: 'list', operands: [], options: { timeout: '-1' } }],
  ['read --user --system', { command: 'read', operands: [], options: { user: true, system: true } }],
  ['write 42', { command: 'write', operands: ['42'], options: {} }],
  ['write -1', { command: 'write', operands: ['-1'], options: {} }],
  ['write -2147483648 NAME', { command: 'write', operands: ['-2147483648', 'NAME'], options: {} }],
  ['write --registry /r -1 NAME', { command: 'write', operands: ['-1', 'NAME'], options: { registry: '/r' } }],
  ['write -1 --json --registry /r', { command: 'write', operands: ['-1'], options: { json: true, registry: '/r' } }],
  ['watch --count 2 --until -5', { command: 'watch', operands: [], options: { count: '2', until: '-5' } }],
  ['read --wait=', { command: 'read', operands: [], options: { wait: '' } }],
  ['read --wait=1.5 NAME', { command: 'read', operands: ['NAME'], options: { wait: '1.5' } }],
  ['watch NAME', { command: 'watch', operands: ['NAME'], options: {} }],
  ['list --json', { command: 'list', operands: [], options: { json: true } }],
  ['info', { command: 'info', operands: [], options: {} }],
  ['get KEY --store s', { command: 'get', operands: ['KEY'], options: { store: 's' } }],
  ['--store=s get KEY --output f', { command: 'get', operands: ['KEY'], options: { store: 's', output: 'f' } }],
  ['put KEY -1.5e-3', { command: 'put', operands: ['KEY', '-1.5e-3'], options: {} }],
  ['put KEY --bytes --file f', { command: 'put', operands: ['KEY'], options: { bytes: true, file: 'f' } }],
  [
    'put KEY 1 --if-version 0 --ttl 3',
    { command: 'put', operands: ['KEY', '1'], options: { ifVersion: '0', ttl: '3' } },
  ],
  ['delete KEY --if-version=7', { command: 'delete', operands: ['KEY'], options: { ifVersion: '7' } }],
  ['increment KEY -.5', { command: 'increment', operands: ['KEY', '-.5'], options: {} }],
  ['keys', { command: 'keys', operands: [], options: {} }],
  ['get k --max-age 5s', { command: 'get', operands: ['k'], options: { maxAge: '5s' } }],
  ['changes a/ --count 3', { command: 'changes', operands: ['a/'], options: { count: '3' } }],
  ['import -', { command: 'import', operands: ['-'], options: {} }],
  ['export --json', { command: 'export', operands: [], options: { json: true } }],
]

t.test('plain lines are read without commander, and commander reads them alike', async (t) => {
  for (const [line, expected] of PLAIN_LINES) {
    t.strictSame(readPlainArguments(line.split(' '), COMMANDS), expected, line)
    t.strictSame(await readArguments(line.split(' '), COMMANDS), expected, `${line}, by commander`)
  }
})

t.test('an empty operand is an operand', async (t) => {
  t.match(readPlainArguments(['write', ''], COMMANDS), { operands: [''] })
  t.match(await readArguments(['write', ''], COMMANDS), { operands: [''] })
})

const OTHER_LINES: [line: string, expected: object][] = [
  ['write -- -1', { operands: ['-1'] }],
  ['write --json -- -1', { operands: ['-1'], options: { json: true } }],
  ['write -1 -- NAME', { operands: ['-1', 'NAME'] }],
  ['read -- --json', { operands: ['--json'], options: { json: undefined } }],
]

t.test('less plain lines are left to commander', async (t) => {
  for (const [line, expected] of OTHER_LINES) {
    t.equal(readPlainArguments(line.split(' '), COMMANDS), null, line)
    t.match(await readArguments(line.split(' '), COMMANDS), expected, line)
  }
})

const WRONG_LINES: [words: string[], message: RegExp][] = [
  [[], /a command is missing: one of read, write, watch, get, put, delete, /],
  [['--json'], /a command is missing/],
  [['reed'], /unknown command 'reed' *\n?\(Did you mean read\?\)/],
  [[''], /unknown command ''/],
  [['__proto__'], /unknown command '__proto__'/],
  [['constructor'], /unknown command 'constructor'/],
  [['read', 'NAME', 'more'], /too many arguments/],
  [['list', 'NAME'], /too many arguments/],
  [['write'], /missing required argument 'value'/],
  [['write', '1', 'NAME', 'more'], /too many arguments/],
  [['read', '--jsn'], /unknown option '--jsn'/],
  [['read', '-x'], /unknown option '-x'/],
  [['write', '-abc'], /unknown option '-abc'/],
  [['read', '--json=1'], /unknown option '--json=1'|does not take/],
  [['read', '--registry'], /option '--registry <path>' argument missing/],
  [['read', '--system=1'], /unknown option '--system=1'|does not take/],
  [['read', '--registry-owner'], /option '--registry-owner <uid>' argument missing/],
  [['read', '--timeout'], /option '--timeout <seconds>' argument missing/],
  [['write', '1', '--registry'], /option '--registry <path>' argument missing/],
  [['get'], /missing required argument 'key'/],
  [['get', 'k', '--bytes'], /unknown option '--bytes'/],
  [['read', '--store', 's'], /read does not use a store/],
  [['import'], /missing required argument 'file'/],
  [['put', 'k', 'v', 'w'], /too many arguments/],
]

t.test('a wrong line is bad usage, with what is wrong and not the whole help', async (t) => {
  for (const [words, message] of WRONG_LINES) {
    t.equal(readPlainArguments(words, COMMANDS), null, words.join(' '))
    await t.rejects(readArguments(words, COMMANDS), { exitCode: 2, message }, words.join(' '))
    await t.rejects(
      readArguments(words, COMMANDS),
      { message: /^(?!error: )[\s\S]* \(see memclient --help\)$/ },
      words.join(' '),
    )
  }
})

t.test('help and version are texts', async (t) => {
  for (const words of [['--help'], ['-h'], ['help'], ['read', '--help'], ['help', 'write'], ['write', '-h']]) {
    t.equal(readPlainArguments(words, COMMANDS), null, words.join(' '))
    t.match(await readArguments(words, COMMANDS), /^Usage: memclient [\s\S]*--registry <path>/, words.join(' '))
  }
  t.match(await readArguments(['--version'], COMMANDS), /^\d+\.\d+\.\d+$/)
})

t.test('the seconds of --wait may be missing', async (t) => {
  const lines: [line: string, joined: string][] = [
    ['read --wait', 'read --wait='],
    ['read --wait 5', 'read --wait=5'],
    ['read --wait NAME', 'read --wait= NAME'],
    ['--wait 0.5 read NAME', '--wait=0.5 read NAME'],
    ['read --wait=5 7', 'read --wait=5 7'],
    ['read -- --wait 5', 'read -- --wait 5'],
    ['list', 'list'],
  ]
  for (const [line, joined] of lines) t.equal(withWaitJoined(line.split(' ')).join(' '), joined)
})
