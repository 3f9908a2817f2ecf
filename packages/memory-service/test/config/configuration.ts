/** Where the file is, whether it is to be trusted, and what is said of a wrong one. */

import { TrustedUsers } from '@memsvc/shared/internal'
import { leakChecked, OTHER_UID } from '@memsvc/shared/test-support'
import t, { type Test } from 'tap'
import { configurationPath, readConfiguration, SYSTEM_CONFIGURATION } from '../../src/config/configuration.ts'
import { nodeFs, nodePath } from '../../test-support/index.ts'

leakChecked(t)

const TRUSTED = new TrustedUsers({ trustsOverflow: false })

/** A file with this text. */
function fileOf(t: Test, text: string): string {
  const path = nodePath.join(t.testdir({ 'memsvc.json': text }), 'memsvc.json')
  nodeFs.chmodSync(path, 0o644)
  return path
}

async function refusal(path: string): Promise<string> {
  try {
    await readConfiguration(path, TRUSTED)
    return 'none'
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    return `${code} ${message.replace(path, 'FILE')}`
  }
}

t.test('without a file there are no rules and nothing is asked for', async (t) => {
  t.strictSame(await readConfiguration(null, TRUSTED), { path: null, rules: [], limits: {} })
})

t.test('rules and limits are as they stand in the file', async (t) => {
  const text = `{
    "rules": [{ "names": ["a*", "b"], "write": [7, "@4711"], "find": [] }, { "names": ["*"] }],
    "limits": { "names": { "total": 9, "perPeer": 2 } }
  }`
  const path = fileOf(t, text)
  const configuration = await readConfiguration(path, TRUSTED)
  t.equal(configuration.path, path)
  t.strictSame(configuration.limits, { names: { total: 9, perPeer: 2 } })
  const [first, second] = configuration.rules
  t.strictSame(first?.names, ['a*', 'b'])
  t.strictSame(Object.keys(first?.people ?? {}), ['find', 'write'])
  t.ok(first?.people.write?.includes({ uid: 7 }))
  t.ok(first?.people.write?.includes({ uid: 8, groups: [4711] }))
  t.notOk(first?.people.find?.includes({ uid: 7 }))
  t.strictSame(second, { names: ['*'], people: {} })
})

const WRONG: [text: string, message: string][] = [
  ['{\n"rules": [\n}', 'FILE:3: } is no value'],
  ['{\n"limit": {}}', 'FILE:2: the document has no member "limit", only $schema, comment, rules, limits'],
  [
    '{"rules": [{"names": ["a"],\n"add": ["*",\n"nobody-has-this-name"]}]}',
    'FILE:3: there is no user nobody-has-this-name',
  ],
  ['{"rules": [{"names": ["a"], "add": ["@nobody-has-this-name"]}]}', 'FILE:1: there is no group nobody-has-this-name'],
  ['{"limits":\n{"names": {"total": 2,\n"perUser": 3}}}', 'FILE:2: perUser is 3, more than the total of 2'],
  ['{"limits": {"names": {"perUser": 2, "perPeer": 3}}}', 'FILE:1: perPeer is 3, more than 2 for its user'],
  ['{"limits": {"names": {"total": 2, "perPeer": 3}}}', 'FILE:1: perPeer is 3, more than 2 for its user'],
]

/** What limits were called before. */
const FORMER_NAMES = {
  passed: 'unreadDescriptors',
  descriptors: 'heldDescriptors',
  blocks: 'heldBlocks',
  refused: 'turnedAway',
  waiting: 'pendingSearches',
}

for (const [former, name] of Object.entries(FORMER_NAMES)) {
  const text = `{\n"limits": {\n"${name}": { "total": 9 },\n"${former}": { "total": 9 }}}`
  WRONG.push([text, `FILE:4: limits has no member "${former}": it is called "${name}" now`])
}

for (const [text, message] of WRONG) {
  t.test(message, async (t) => {
    t.equal(await refusal(fileOf(t, text)), `ERR_INVALID_ARG_VALUE ${message}`)
  })
}

t.test('what is no readable file is refused', async (t) => {
  const folder = t.testdir({})
  t.equal(await refusal(nodePath.join(folder, 'none')), 'ERR_INVALID_ARG_VALUE FILE: cannot be read (ENOENT)')
  t.match(await refusal(folder), /ERR_INVALID_ARG_VALUE FILE: is no file/)
  t.match(await refusal('/dev/zero'), /is no file/)
})

for (const [size, outcome] of [
  [1024 * 1024, 'none'],
  [1024 * 1024 + 1, 'ERR_INVALID_ARG_VALUE FILE: has 1048577 bytes; 1048576 are allowed'],
] as const) {
  t.test(`a file of ${size} bytes: ${outcome}`, async (t) => {
    t.equal(await refusal(fileOf(t, '{}'.padEnd(size))), outcome)
  })
}

for (const mode of [0o664, 0o646, 0o622]) {
  t.test(`a file of mode ${mode.toString(8)} could be anybody's word`, async (t) => {
    const path = fileOf(t, '{}')
    nodeFs.chmodSync(path, mode)
    t.equal(await refusal(path), 'ERR_INVALID_ARG_VALUE FILE: can be written to by others')
  })
}

const skip = process.getuid?.() === 0 ? false : 'needs root to give a file away'

t.test("a file of another user's is his word", { skip }, async (t) => {
  const path = fileOf(t, '{}')
  nodeFs.chownSync(path, OTHER_UID, OTHER_UID)
  t.equal(await refusal(path), `ERR_INVALID_ARG_VALUE FILE: belongs to uid ${OTHER_UID}`)
})

t.test('a file that is given is the file, whether it is there or not', async (t) => {
  t.equal(configurationPath('/none', '/run/memsvc/registry.sock', {}), '/none')
})

t.test("a user's file is in XDG_CONFIG_HOME, else in .config at home, where it is there", async (t) => {
  const home = t.testdir({ config: { memsvc: { 'memsvc.json': '' } }, '.config': { memsvc: { 'memsvc.json': '' } } })
  const registry = '/run/user/1/memsvc/registry.sock'
  const config = nodePath.join(home, 'config')
  t.equal(
    configurationPath(undefined, registry, { XDG_CONFIG_HOME: config }),
    nodePath.join(config, 'memsvc/memsvc.json'),
  )
  t.equal(configurationPath(undefined, registry, { HOME: home }), nodePath.join(home, '.config/memsvc/memsvc.json'))
  t.equal(
    configurationPath(undefined, registry, { XDG_CONFIG_HOME: 'relative', HOME: home }),
    nodePath.join(home, '.config/memsvc/memsvc.json'),
  )
  for (const env of [{}, { HOME: '' }, { XDG_CONFIG_HOME: '/none' }, { HOME: '/dev/null' }]) {
    t.equal(configurationPath(undefined, registry, env), null, JSON.stringify(env))
  }
})

t.test("the system's registry goes by the system's file, never by a user's", async (t) => {
  const home = t.testdir({ '.config': { memsvc: { 'memsvc.json': '' } } })
  const path = configurationPath(undefined, '/run/memsvc/registry.sock', { HOME: home })
  t.ok(path === null || path === SYSTEM_CONFIGURATION, String(path))
})

t.test('a file that is there but cannot be reached is not taken for none', async (t) => {
  const home = t.testdir({})
  nodeFs.mkdirSync(nodePath.join(home, 'memsvc'))
  const loop = nodePath.join(home, 'memsvc', 'memsvc.json')
  t.testdir({ memsvc: { 'memsvc.json': t.fixture('symlink', 'memsvc.json') } })
  const path = configurationPath(undefined, '/registry', { XDG_CONFIG_HOME: home })
  t.equal(path, loop)
  t.equal(await refusal(loop), 'ERR_INVALID_ARG_VALUE FILE: cannot be read (ELOOP)')
})
