/** What all commands do alike when they cannot do their work. */

import { MemoryFile, ParcelFileDescriptor } from '@memsvc/shared'
import { leakChecked, newRegistryPath, runProgram, watchdog } from '@memsvc/shared/test-support'
import { constants, ftruncate, memfdCreate } from 'memfd-native'
import t, { type Test } from 'tap'
import * as support from '../../test-support/index.ts'

const { MEMCLIENT, memclient, never, nodeFs, nodePath, publish, startMemsvc } = support

watchdog(t)
leakChecked(t)

const COMMANDS = [['read'], ['write', '1'], ['watch'], ['list'], ['info']]
/** Those that print at once. */
const PRINTING = [
  ...[['read'], ['write', '1', '--json'], ['watch'], ['list'], ['info'], ['--help'], ['--version']],
  ...[['completion', 'bash'], ['__complete', '--', 'p'], ['__describe'], ['put', '--help']],
  ...[['put', 'k', '1', '--json'], ['get', 'k'], ['get', 'k', '--json'], ['keys'], ['export']],
  ...[
    ['increment', 'n', '2'],
    ['increment', 'n', '2', '--json'],
    ['import', 'FILE', '--json'],
  ],
  ...[['delete', 'k', '--json']],
]
function printing(t: Test): string[][] {
  const file = nodePath.join(t.testdir({ 'import.json': '{"k":1}' }), 'import.json')
  return PRINTING.map((args) => args.map((word) => (word === 'FILE' ? file : word)))
}

/** Those that map the region. */
const MAPPING = ['read', 'watch', 'info']

t.test('no registry is exit 3', async (t) => {
  const registry = newRegistryPath(t)
  for (const args of COMMANDS) {
    const expected = { code: 3, stdout: '', stderr: /^memclient: no registry at .*registry\.sock/ }
    t.match(await memclient(registry, args), expected, args.join(' '))
  }
})

t.test('a registry that died without a word is exit 3', async (t) => {
  const { registry, program } = await startMemsvc(t)
  await program.destroy()
  for (const args of COMMANDS) t.match(await memclient(registry, args), { code: 3 }, args.join(' '))
})

t.test('no such service is exit 3', async (t) => {
  const { registry } = await startMemsvc(t)
  for (const args of [['read'], ['write', '1'], ['watch'], ['info']]) {
    const expected = { code: 3, stdout: '', stderr: /^memclient: no service "nobody" at / }
    t.match(await memclient(registry, [...args, 'nobody']), expected, args.join(' '))
  }
})

t.test('a path that no socket can have is exit 2', async (t) => {
  for (const path of ['', `/${'x'.repeat(107)}`]) {
    t.match(await memclient('/nowhere', ['read', '--registry', path]), { code: 2, stderr: /1 to 107 bytes/ })
  }
})

t.test('wrong usage is exit 2 and one line', async (t) => {
  for (const args of [[], ['reed'], ['read', '--jsn'], ['write'], ['list', 'x'], ['read', '--registry']]) {
    t.match(await memclient('/nowhere', args), { code: 2, stdout: '', stderr: /^memclient: .*$/ }, args.join(' '))
  }
})

t.test('help and version need no registry', async (t) => {
  t.match(await memclient('/nowhere', ['--help']), { code: 0, stdout: /^Usage: memclient/, stderr: '' })
  t.match(await memclient('/nowhere', ['--version']), { code: 0, stdout: /^\d+\.\d+\.\d+$/, stderr: '' })
})

t.test('a daemon that is stopped is given up with exit 5', async (t) => {
  const { registry, program } = await startMemsvc(t)
  program.kill('SIGSTOP')
  const endings = await Promise.all(COMMANDS.map((args) => memclient(registry, args)))
  for (const ending of endings) {
    t.match(ending, {
      code: 5,
      stdout: '',
      stderr: 'memclient: the registry has not answered for 5 s, try again later',
    })
  }
})

t.test('a reader of stdout that has gone is exit 0, silently', async (t) => {
  const { registry } = await startMemsvc(t)
  const [source, sink] = ParcelFileDescriptor.createPipe()
  source.close()
  for (const args of printing(t)) {
    const ending = await memclient(registry, args, { stdout: sink.getFd() })
    t.match(ending, { code: 0, signal: null, stderr: '' }, args.join(' '))
  }
  sink.close()
})

t.test('a full disk is exit 1 and said', async (t) => {
  const { registry } = await startMemsvc(t)
  const full = nodeFs.openSync('/dev/full', 'w')
  for (const args of printing(t)) {
    const ending = await memclient(registry, args, { stdout: full })
    t.match(ending, { code: 1, stderr: /cannot write to stdout: ENOSPC/ }, args.join(' '))
  }
  nodeFs.closeSync(full)
})

t.test('stdin is not read', async (t) => {
  const { registry } = await startMemsvc(t)
  const endless = nodeFs.openSync('/dev/zero', 'r')
  t.match(await memclient(registry, ['read'], { stdin: endless }), { code: 0, stdout: '0' })
  nodeFs.closeSync(endless)
})

t.test('the registry is found by XDG_RUNTIME_DIR', async (t) => {
  const directory = newRegistryPath(t).replace('/registry.sock', '')
  await startMemsvc(t, { registry: `${directory}/memsvc/registry.sock` })
  t.match(await runProgram(MEMCLIENT, ['read'], { env: { XDG_RUNTIME_DIR: directory } }), { code: 0, stdout: '0' })
})

/** A region that its owner can shrink under a reader. */
function unsealed(): ParcelFileDescriptor {
  const memfd = memfdCreate('unsealed', constants.MFD_ALLOW_SEALING)
  ftruncate(memfd, 4)
  return ParcelFileDescriptor.adoptFd(memfd.release())
}

function pipeEnd(): ParcelFileDescriptor {
  const [source, sink] = ParcelFileDescriptor.createPipe()
  sink.close()
  return source
}

function tooShort(): ParcelFileDescriptor {
  using file = new MemoryFile('short', 3)
  return file.shareReadOnly()
}

const ODD_SERVICES: [name: string, behaviour: support.Behaviour, code: number, message: RegExp][] = [
  ['unsealed', { getFileDescriptor: unsealed }, 1, /can shrink/],
  ['pipe', { getFileDescriptor: pipeEnd }, 1, /Not a memory file/],
  ['short', { getFileDescriptor: tooShort }, 1, /3 bytes|shorter/],
  ['empty', { getFileDescriptor: () => null }, 3, /no region/],
  ['mute', { getFileDescriptor: never }, 5, /^memclient: mute has not answered for 5 s/],
]

t.test('a service that answers nonsense is told apart', async (t) => {
  const { registry } = await startMemsvc(t)
  for (const [name, behaviour] of ODD_SERVICES) await publish(t, registry, name, behaviour)
  for (const [name, , code, stderr] of ODD_SERVICES) {
    const endings = await Promise.all(MAPPING.map((command) => memclient(registry, [command, name])))
    for (const ending of endings) t.match(ending, { code, stdout: '', stderr }, name)
  }
})
