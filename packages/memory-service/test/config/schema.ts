import { readFileSync } from 'node:fs'
import t from 'tap'
import * as support from '../../test-support/index.ts'

const SCHEMA = JSON.parse(
  readFileSync(new URL('../../../memsvc.schema.json', import.meta.url), 'utf8'),
) as support.Schema

const GOOD = [
  '{}',
  '{"$schema": "x", "comment": "y", "rules": [], "limits": {}}',
  '{"rules": [{"names": ["*"], "add": [], "find": ["*"], "write": [0, 4294967294, "bob", "@ops", "@4711", "7"]}]}',
  '{"rules": [{"names": ["a.b/c-d_E9", "a*"], "comment": "why"}]}',
  `{"rules": [{"names": ["${'a'.repeat(127)}", "${'a'.repeat(126)}*"]}]}`,
  '{"limits": {"names": {"total": 1, "perUser": 1, "perPeer": 1}, "channels": {"total": 1000000}}}',
]

for (const text of GOOD) {
  t.test(`${text.slice(0, 60)} fits`, async (t) => {
    t.doesNotThrow(() => support.checkSchema(support.parseDocument(text), SCHEMA))
  })
}

const BAD: [text: string, line: number, message: string | RegExp][] = [
  ['[]', 1, 'the document must be an object'],
  ['{\n"rule": []}', 2, 'the document has no member "rule", only $schema, comment, rules, limits'],
  ['{"__proto__": 1}', 1, /no member "__proto__"/],
  ['{"rules": [\n{}]}', 2, 'rules[0] has no "names"'],
  ['{"rules": [{"names": []}]}', 1, 'rules[0].names is empty'],
  ['{"rules": [{"names": "a"}]}', 1, 'rules[0].names must be an array'],
  ['{"rules": [{"names":\n["a",\n""]}]}', 3, /^rules\[0\].names\[1\] is "", but must be up to 127 characters/],
  ['{"rules": [{"names": ["a*b"]}]}', 1, /is "a\*b"/],
  ['{"rules": [{"names": ["a\\n"]}]}', 1, /is "a\\n"/],
  [`{"rules": [{"names": ["${'a'.repeat(128)}"]}]}`, 1, /127 characters/],
  ['{"rules": [{"names": ["a"], "read": []}]}', 1, /no member "read", only comment, names, add, find, write/],
  ['{"rules": [{"names": ["a"], "write": [true]}]}', 1, 'rules[0].write[0] must be an integer or a string'],
  ['{"rules": [{"names": ["a"], "write": [1.5]}]}', 1, 'rules[0].write[0] must be an integer or a string'],
  ['{"rules": [{"names": ["a"], "write": [-1]}]}', 1, /is -1, but must be from 0 to 4294967294/],
  ['{"rules": [{"names": ["a"], "write": [4294967295]}]}', 1, /is 4294967295/],
  ['{"rules": [{"names": ["a"], "write": [""]}]}', 1, /a uid, the name of a user/],
  ['{"rules": [{"names": ["a"], "write": ["-x"]}]}', 1, /is "-x"/],
  ['{"rules": [{"names": ["a"], "write": ["@"]}]}', 1, /is "@"/],
  ['{"limits": {"names": {"total": 0}}}', 1, 'limits.names.total is 0, but must be from 1 to 1000000'],
  ['{"limits": {"names": {"total": 1000001}}}', 1, /1000001/],
  ['{"limits": {"names": {"total": 2147483648}}}', 1, /2147483648/],
  ['{"limits": {"names": {"total": 1e300}}}', 1, /1e\+300/],
  ['{"limits": {"names": {"total": "5"}}}', 1, 'limits.names.total must be an integer'],
  ['{"limits": {"channels": {"perPeer": 1}}}', 1, /no member "perPeer", only total, perUser/],
  ['{"limits": {"cores": {}}}', 1, /no member "cores"/],
]

for (const [text, line, message] of BAD) {
  t.test(`${JSON.stringify(text).slice(0, 60)} is refused`, async (t) => {
    t.throws(() => support.checkSchema(support.parseDocument(text), SCHEMA), { line, message })
  })
}

t.test('the schema knows the resources, shares and actions of the code, and no others', async (t) => {
  const { properties = {} } = SCHEMA.properties?.limits ?? {}
  t.strictSame(new Set(Object.keys(properties)), new Set(support.RESOURCE_NAMES))
  for (const resource of support.RESOURCE_NAMES) {
    const shares = 'perPeer' in support.RESOURCES[resource] ? 'peerShares' : 'shares'
    t.equal(properties[resource]?.$ref, `#/$defs/${shares}`, resource)
  }
  const rule = Object.keys(SCHEMA.$defs?.rule?.properties ?? {})
  t.strictSame(rule, ['comment', 'names', ...support.ACTIONS])
})

t.test('a schema that refers to nothing is a bug, and said', async (t) => {
  t.throws(
    () => support.checkSchema(support.parseDocument('1'), { $ref: '#/$defs/none' }),
    /the schema has no #\/\$defs\/none/,
  )
})
