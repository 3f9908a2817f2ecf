/** Where clients look for the registry, and where daemons put it, which is the same: every combination of what can be given. */
import t from 'tap'
import { readRegistryOptions } from '../../src/service-manager/registry-options.ts'
import { findRegistry, MAX_PATH_BYTES, type RegistryChoice } from '../../src/service-manager/registry-path.ts'
import { leakChecked, outcome } from '../../test-support/index.ts'

leakChecked(t)

const SYSTEM = '/run/memsvc/registry.sock'
const LONGEST = `/${'x'.repeat(MAX_PATH_BYTES - 1)}`

const given: [string, { path?: string | undefined; env: NodeJS.ProcessEnv }, string][] = [
  ['a path', { path: '/tmp/x', env: { MEMSVC_REGISTRY: '/tmp/y', XDG_RUNTIME_DIR: '/tmp/z' } }, '/tmp/x'],
  ['a relative path', { path: 'x', env: {} }, 'x'],
  ['the variable', { env: { MEMSVC_REGISTRY: '/tmp/y', XDG_RUNTIME_DIR: '/tmp/z' } }, '/tmp/y'],
  ['the longest path', { path: LONGEST, env: {} }, LONGEST],
  ['the longest path of 2-byte characters', { path: `/${'é'.repeat(53)}`, env: {} }, `/${'é'.repeat(53)}`],
  ['a path with a NUL', { path: '/tmp/a\0b', env: {} }, 'ERR_INVALID_ARG_VALUE'],
  ['an empty path', { path: '', env: {} }, 'ERR_INVALID_ARG_VALUE'],
  ['a path that is too long', { path: `${LONGEST}x`, env: {} }, 'ERR_INVALID_ARG_VALUE'],
  ['a path that is too long in bytes', { path: `/${'é'.repeat(54)}`, env: {} }, 'ERR_INVALID_ARG_VALUE'],
  ['a variable that is too long', { env: { MEMSVC_REGISTRY: `${LONGEST}x` } }, 'ERR_INVALID_ARG_VALUE'],
  ['a path with a zero in it', { path: '/tmp/\0x', env: {} }, 'ERR_INVALID_ARG_VALUE'],
  ['a path of the wrong type', { path: 5 as unknown as string, env: {} }, 'ERR_INVALID_ARG_TYPE'],
]

for (const [what, { path, env }, expected] of given) {
  t.test(`${what} is ${expected.startsWith('ERR_') ? 'refused' : 'taken as it is'}`, async (t) => {
    t.equal(
      outcome(() => findRegistry({ path }, env).path),
      expected,
    )
  })
}

const RUNTIME = { XDG_RUNTIME_DIR: '/tmp/runtime' }
const USERS = '/tmp/runtime/memsvc/registry.sock'

const CHOICES: [what: string, choice: RegistryChoice, env: NodeJS.ProcessEnv, expected: string][] = [
  ["the user's registry, where there is a directory for it", {}, RUNTIME, `XDG_RUNTIME_DIR ${USERS}`],
  ['an empty variable is none', {}, { ...RUNTIME, MEMSVC_REGISTRY: '' }, `XDG_RUNTIME_DIR ${USERS}`],
  ["else the machine's", {}, {}, `default ${SYSTEM}`],
  ['also where the directory is empty', {}, { XDG_RUNTIME_DIR: '' }, `default ${SYSTEM}`],
  ['or relative', {}, { XDG_RUNTIME_DIR: 'relative/directory' }, `default ${SYSTEM}`],
  ['the variable goes before', {}, { ...RUNTIME, MEMSVC_REGISTRY: '/m' }, 'MEMSVC_REGISTRY /m'],
  ['and a scope before the variable', { scope: 'user' }, { ...RUNTIME, MEMSVC_REGISTRY: '/m' }, `scope ${USERS}`],
  ['either scope', { scope: 'system' }, { ...RUNTIME, MEMSVC_REGISTRY: '/m' }, `scope ${SYSTEM}`],
  ['and a path', { path: '/p' }, { ...RUNTIME, MEMSVC_REGISTRY: '/m' }, 'path /p'],
  ["the user's, where he has no directory", { scope: 'user' }, { MEMSVC_REGISTRY: '/m' }, 'ERR_INVALID_ARG_VALUE'],
  ['or an empty one', { scope: 'user' }, { XDG_RUNTIME_DIR: '' }, 'ERR_INVALID_ARG_VALUE'],
  ['or a relative one', { scope: 'user' }, { XDG_RUNTIME_DIR: 'run' }, 'ERR_INVALID_ARG_VALUE'],
  ['a path and a scope', { path: '/p', scope: 'system' }, {}, 'ERR_INVALID_ARG_VALUE'],
  ['another scope', { scope: 'machine' as 'user' }, RUNTIME, 'ERR_INVALID_ARG_VALUE'],
  ['a scope of the wrong type', { scope: null as unknown as 'user' }, RUNTIME, 'ERR_INVALID_ARG_VALUE'],
  ['an owner who is no uid', { registryOwner: 2 ** 32 - 1 }, {}, 'ERR_OUT_OF_RANGE'],
  ['a negative owner', { registryOwner: -1 }, {}, 'ERR_OUT_OF_RANGE'],
  ['an owner by name', { registryOwner: 'memsvc' as unknown as number }, {}, 'ERR_INVALID_ARG_TYPE'],
]

t.test('options go before MEMSVC_REGISTRY, before the user, before the machine; whatever exists', async (t) => {
  for (const [what, choice, env, expected] of CHOICES) {
    const place = () => {
      const { by, path } = findRegistry(choice, env)
      return `${by} ${path}`
    }
    t.equal(outcome(place), expected, what)
  }
})

t.test('the options of the commands exclude each other, and a path that is empty is one', async (t) => {
  t.strictSame(readRegistryOptions({}), {})
  t.strictSame(readRegistryOptions({ registry: '', registryOwner: '0' }), { path: '', registryOwner: 0 })
  t.strictSame(readRegistryOptions({ system: true }), { scope: 'system' })
  t.strictSame(readRegistryOptions({ user: true, registryOwner: '4294967294' }), {
    scope: 'user',
    registryOwner: 4294967294,
  })
  const wrong = [
    { registry: '/r', system: true },
    { registry: '', user: true },
    { system: true, user: true },
    ...['-1', '4294967295', 'memsvc', '', '1e3', ' 1', '0x1'].map((registryOwner) => ({ registryOwner })),
  ]
  for (const options of wrong) {
    t.throws(() => readRegistryOptions(options), { code: 'ERR_INVALID_ARG_VALUE' }, JSON.stringify(options))
  }
})
