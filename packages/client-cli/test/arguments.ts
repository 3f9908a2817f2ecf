/** Both readers of the command line: they must agree wherever the quick one answers. */
import t from 'tap'
import { readPlainArguments } from '../src/arguments.ts'
import { COMMANDS } from '../src/command-table.ts'
import { readArguments } from '../src/program.ts'

const PLAIN = { json: false, registry: {} }

const PLAIN_LINES: [line: string, expected: object][] = [
  ['read', { ...PLAIN, command: 'read', operands: [] }],
  ['read NAME', { ...PLAIN, command: 'read', operands: ['NAME'] }],
  ['read --json', { ...PLAIN, command: 'read', operands: [], json: true }],
  ['read --json NAME --json', { ...PLAIN, command: 'read', operands: ['NAME'], json: true }],
  ['--json read', { ...PLAIN, command: 'read', operands: [], json: true }],
  ['read --registry /r', { ...PLAIN, command: 'read', operands: [], registry: { registry: '/r' } }],
  ['read --registry /r NAME', { ...PLAIN, command: 'read', operands: ['NAME'], registry: { registry: '/r' } }],
  ['read NAME --registry /r', { ...PLAIN, command: 'read', operands: ['NAME'], registry: { registry: '/r' } }],
  ['--registry /r read NAME', { ...PLAIN, command: 'read', operands: ['NAME'], registry: { registry: '/r' } }],
  ['read --registry=/r', { ...PLAIN, command: 'read', operands: [], registry: { registry: '/r' } }],
  ['read --registry=/r --registry /s', { ...PLAIN, command: 'read', operands: [], registry: { registry: '/s' } }],
  ['read --registry --json', { ...PLAIN, command: 'read', operands: [], registry: { registry: '--json' } }],
  ['read --registry=', { ...PLAIN, command: 'read', operands: [], registry: { registry: '' } }],
  ['--system read', { ...PLAIN, command: 'read', operands: [], registry: { system: true } }],
  ['read NAME --user', { ...PLAIN, command: 'read', operands: ['NAME'], registry: { user: true } }],
  ['read --registry-owner 7', { ...PLAIN, command: 'read', operands: [], registry: { registryOwner: '7' } }],
  ['--registry-owner=7 list', { ...PLAIN, command: 'list', operands: [], registry: { registryOwner: '7' } }],
  ['read --timeout 0.5', { ...PLAIN, command: 'read', operands: [], timeout: '0.5' }],
  ['--timeout=-1 list', { ...PLAIN, command: 'list', operands: [], timeout: '-1' }],
  ['read --user --system', { ...PLAIN, command: 'read', operands: [], registry: { user: true, system: true } }],
  ['write 42', { ...PLAIN, command: 'write', operands: ['42'] }],
  ['write -1', { ...PLAIN, command: 'write', operands: ['-1'] }],
  ['write -2147483648 NAME', { ...PLAIN, command: 'write', operands: ['-2147483648', 'NAME'] }],
  [
    'write --registry /r -1 NAME',
    { ...PLAIN, command: 'write', operands: ['-1', 'NAME'], registry: { registry: '/r' } },
  ],
  ['write -1 --json --registry /r', { command: 'write', operands: ['-1'], json: true, registry: { registry: '/r' } }],
  ['watch NAME', { ...PLAIN, command: 'watch', operands: ['NAME'] }],
  ['list --json', { ...PLAIN, command: 'list', operands: [], json: true }],
  ['info', { ...PLAIN, command: 'info', operands: [] }],
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
  ['write --json -- -1', { operands: ['-1'], json: true }],
  ['write -1 -- NAME', { operands: ['-1', 'NAME'] }],
  ['read -- --json', { operands: ['--json'], json: false }],
  ['write -1.5', { operands: ['-1.5'] }],
]

t.test('less plain lines are left to commander', async (t) => {
  for (const [line, expected] of OTHER_LINES) {
    t.equal(readPlainArguments(line.split(' '), COMMANDS), null, line)
    t.match(await readArguments(line.split(' '), COMMANDS), expected, line)
  }
})

const WRONG_LINES: [words: string[], message: RegExp][] = [
  [[], /a command is missing: one of read, write, watch, list, info/],
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
