/** Where the file is, whether it is to be trusted, and what is said of a wrong one. */
import { TrustedUsers } from '@memsvc/shared/internal'
import t, { type Test } from 'tap'
import { configurationPath, readConfiguration, SYSTEM_CONFIGURATION } from '../../src/config/configuration.ts'
import { leakChecked, nodeFs, nodePath, OTHER_UID, plainStore } from '../../test-support/index.ts'

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
  const nothing = { path: null, rules: [], limits: {}, stores: [], replicate: null }
  t.strictSame(await readConfiguration(null, TRUSTED), nothing)
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

t.test('stores are as they stand in the file, and small ones have room for fewer keys', async (t) => {
  const path = fileOf(
    t,
    `{ "stores": [
      { "name": "flags", "capacity": "256 KiB", "rules": [{ "keys": ["a/*", "b"], "read": [7], "write": ["*"] }, { "keys": ["*"] }] },
      { "name": "models", "capacity": "2GiB", "limits": { "maxKeys": 1000000, "maxValueBytes": "1 GiB", "bytesOfUser": 5, "edits": 7 } },
      { "name": "SharedStore" }] }`,
  )
  const { stores } = await readConfiguration(path, TRUSTED)
  const [flags, models, shared] = stores
  t.match(flags, { name: 'flags', capacity: 256 * 1024, maxKeys: 256, maxValueBytes: 256 * 1024, limits: {} })
  t.strictSame(
    flags?.rules.map(({ keys }) => keys),
    [['a/*', 'b'], ['*']],
  )
  t.strictSame(
    flags?.rules.map(({ read, write }) => [
      read?.includes({ uid: 7 }),
      read?.includes({ uid: 8 }),
      write?.includes({ uid: 8 }),
    ]),
    [
      [true, false, true],
      [undefined, undefined, undefined],
    ],
  )
  t.match(models, { capacity: 2 ** 31, maxKeys: 1e6, maxValueBytes: 2 ** 30, limits: { bytesOfUser: 5, edits: 7 } })
  t.strictSame(shared, { ...plainStore('SharedStore') })
})

const WRONG: [text: string, message: string][] = [
  ['{"stores": [\n{"capacity": 1}]}', 'FILE:2: stores[0] has no "name"'],
  ['{"stores": [{"name": "a"},\n{"name": "a"}]}', 'FILE:2: the store a appears twice'],
  [
    '{"stores": [{"name": "AnonymousSharedMemory"}]}',
    "FILE:1: a store cannot have the name AnonymousSharedMemory, which is the value's",
  ],
  [
    '{"stores": [{"name": "a",\n"limits": {"keys": 1}}]}',
    'FILE:2: stores[0].limits has no member "keys", only maxKeys,',
  ],
  [
    '{"stores": [{"name": "a",\n"capacity": "64 MB"}]}',
    'FILE:2: stores[0].capacity is "64 MB", but must be a number of bytes',
  ],
  [
    '{"stores": [{"name": "a", "capacity": "1 MiB", "limits": {"maxKeys": 65536}}]}',
    'FILE:1: capacity must be at least 4210688 for 65536 keys, and is 1048576',
  ],
  ['{"stores": [\n{"name": "a", "capacity": "2 TiB"}]}', 'FILE:2: capacity must be an integer from 1 to 1099511627776'],
  [
    '{"stores": [{"name": "a", "capacity": "2048 GiB"}]}',
    'FILE:1: capacity must be an integer from 1 to 1099511627776',
  ],
  [
    '{"stores": [{"name": "a", "capacity": "1 TiB", "limits": {"maxValueBytes": "4 GiB"}}]}',
    'FILE:1: maxValueBytes must be an integer from 0 to 4294967295',
  ],
  [
    '{"stores": [{"name": "a", "limits": {"bytesOfUser": "999999999 GiB"}}]}',
    'FILE:1: limits.bytesOfUser must be an integer from 0 to 2147483647',
  ],
  [
    `{"stores": [{"name": "a", "rules": [${Array.from({ length: 64 }, (_, i) => `{"keys": ["${i}"], "read": [${i + 5}]}`)}]}]}`,
    'FILE:1: areas must have 1 to 64 elements',
  ],
  [
    '{"stores": [{"name": "a", "rules": [{"keys": ["\\u0001"]}]}]}',
    'FILE:1: stores[0].rules[0].keys[0] is "\\u0001", but must be',
  ],
  [`{"stores": [{"name": "a", "rules": [{"keys": [\n"${'ä'.repeat(257)}*"]}]}]}`, 'FILE:2: a key'],
  [
    '{"stores": [{"name": "a", "rules": [{"keys": ["k"],\n"read": ["nobody-has-this-name"]}]}]}',
    'FILE:2: there is no user',
  ],

  ['{\n"rules": [\n}', 'FILE:3: } is not a JSON value'],
  ['{\n"limit": {}}', 'FILE:2: the document has no member "limit", only $schema, comment, rules, limits, stores'],
  [
    '{"rules": [{"names": ["a"],\n"add": ["*",\n"nobody-has-this-name"]}]}',
    'FILE:3: there is no user nobody-has-this-name',
  ],
  ['{"rules": [{"names": ["a"], "add": ["@nobody-has-this-name"]}]}', 'FILE:1: there is no group nobody-has-this-name'],
  [
    '{"limits":\n{"names": {"total": 2,\n"perUser": 3}}}',
    'FILE:2: names: perUser must be at most the total of 2, and is 3',
  ],
  [
    '{"limits": {"names": {"perUser": 2, "perPeer": 3}}}',
    'FILE:1: names: perPeer must be at most perUser, which is 2, and is 3',
  ],
  [
    '{"limits": {"names": {"total": 2, "perPeer": 3}}}',
    'FILE:1: names: perPeer must be at most perUser, which is 2, and is 3',
  ],
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
  WRONG.push([text, `FILE:4: limits has no member "${former}": it is now called "${name}"`])
}

for (const [text, message] of WRONG) {
  t.test(message, async (t) => {
    const wanted = `ERR_INVALID_ARG_VALUE ${message}`
    t.equal((await refusal(fileOf(t, text))).slice(0, wanted.length), wanted)
  })
}

t.test('a path that is not a readable file is refused', async (t) => {
  const folder = t.testdir({})
  t.equal(await refusal(nodePath.join(folder, 'none')), 'ERR_INVALID_ARG_VALUE FILE: cannot be read (ENOENT)')
  t.match(await refusal(folder), /ERR_INVALID_ARG_VALUE FILE: is not a regular file/)
  t.match(await refusal('/dev/zero'), /is not a regular file/)
})

for (const [size, outcome] of [
  [1024 * 1024, 'none'],
  [1024 * 1024 + 1, 'ERR_INVALID_ARG_VALUE FILE: must have at most 1048576 bytes, and has 1048577'],
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

t.test('a file that belongs to another user is refused', { skip }, async (t) => {
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
