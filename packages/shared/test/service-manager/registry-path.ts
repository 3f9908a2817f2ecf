/** Where clients look for the registry, and where daemons put it: every combination of what can be given. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bind, constants, socket } from 'memfd-native'
import t, { type Test } from 'tap'
import { clientRegistryPath, daemonRegistryPath, MAX_PATH_BYTES } from '../../src/service-manager/registry-path.ts'
import { leakChecked } from '../../test-support/leaks.ts'
import { outcome } from '../../test-support/outcome.ts'
import { newRegistryPath } from '../../test-support/start-daemon.ts'

leakChecked(t)

const SYSTEM = '/run/memsvc/registry.sock'
const LONGEST = `/${'x'.repeat(MAX_PATH_BYTES - 1)}`

/** A runtime directory with the user's registry in it, or something else in its place. */
function runtimeDirectory(t: Test, what: 'socket' | 'file' | 'nothing'): { XDG_RUNTIME_DIR: string; path: string } {
  const directory = join(newRegistryPath(t), '..')
  const path = join(directory, 'memsvc/registry.sock')
  mkdirSync(join(directory, 'memsvc'))
  if (what === 'file') writeFileSync(path, '')
  if (what === 'socket') {
    const listener = socket(constants.SOCK_SEQPACKET)
    bind(listener, path)
    listener.close()
  }
  return { XDG_RUNTIME_DIR: directory, path }
}

const given: [string, { path?: string; env: NodeJS.ProcessEnv }, string][] = [
  ['a path', { path: '/tmp/x', env: { MEMSVC_REGISTRY: '/tmp/y', XDG_RUNTIME_DIR: '/tmp/z' } }, '/tmp/x'],
  ['a relative path', { path: 'x', env: {} }, 'x'],
  ['the variable', { env: { MEMSVC_REGISTRY: '/tmp/y', XDG_RUNTIME_DIR: '/tmp/z' } }, '/tmp/y'],
  ['the longest path', { path: LONGEST, env: {} }, LONGEST],
  ['the longest path of 2-byte characters', { path: `/${'é'.repeat(53)}`, env: {} }, `/${'é'.repeat(53)}`],
  ['an empty path', { path: '', env: {} }, 'ERR_INVALID_ARG_VALUE'],
  ['a path that is too long', { path: `${LONGEST}x`, env: {} }, 'ERR_INVALID_ARG_VALUE'],
  ['a path that is too long in bytes', { path: `/${'é'.repeat(54)}`, env: {} }, 'ERR_INVALID_ARG_VALUE'],
  ['a variable that is too long', { env: { MEMSVC_REGISTRY: `${LONGEST}x` } }, 'ERR_INVALID_ARG_VALUE'],
  ['a path with a zero in it', { path: '/tmp/\0x', env: {} }, 'ERR_INVALID_ARG_VALUE'],
  ['a path of the wrong type', { path: 5 as unknown as string, env: {} }, 'ERR_INVALID_ARG_TYPE'],
]

for (const [what, options, expected] of given) {
  t.test(
    `${what} is ${expected.startsWith('ERR_') ? 'refused' : 'taken as it is'}, by clients and daemons`,
    async (t) => {
      t.equal(
        outcome(() => clientRegistryPath(options)),
        expected,
      )
      t.equal(
        outcome(() => daemonRegistryPath(options)),
        expected,
      )
    },
  )
}

t.test('without a path a daemon takes the directory of the user, where there is one', async (t) => {
  const { path, ...env } = runtimeDirectory(t, 'nothing')
  t.equal(daemonRegistryPath({ env }), path)
  t.equal(daemonRegistryPath({ env: { ...env, MEMSVC_REGISTRY: '' } }), path, 'an empty variable is none')
  for (const directory of [undefined, '', 'relative/directory']) {
    t.equal(daemonRegistryPath({ env: { XDG_RUNTIME_DIR: directory } }), SYSTEM, `${directory}`)
  }
})

t.test('without a path a client takes the first place where a socket is', async (t) => {
  const { path, ...env } = runtimeDirectory(t, 'socket')
  t.equal(clientRegistryPath({ env }), path)
  for (const what of ['file', 'nothing'] as const) {
    const { path: _path, ...env } = runtimeDirectory(t, what)
    t.equal(clientRegistryPath({ env }), SYSTEM, what)
  }
  t.equal(clientRegistryPath({ env: { XDG_RUNTIME_DIR: 'relative/directory' } }), SYSTEM)
  t.equal(clientRegistryPath({ env: {} }), SYSTEM)
})
