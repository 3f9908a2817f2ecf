/** What JSON.parse reads is read the same, what it refuses is refused with its line, and so is a key that appears twice. */
import { seededRandom } from '@memsvc/shared/test-support'
import t from 'tap'
import { DocumentError, type Node, parseDocument } from '../../src/config/document.ts'

/** As JSON.parse would answer it. */
function plain({ value }: Node): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, node]) => [key, plain(node)]))
  return Array.isArray(value) ? value.map(plain) : value
}

const GOOD = [
  '{}',
  '[]',
  ' [ ] ',
  '"a\\"b\\\\\\u00e9\\n"',
  '"{[,:]}"',
  '-0.5e+10',
  '[0, -1, 1e3, true, false, null, "", "ü"]',
  '{"a": {"b": [{"c": []}]}, "": 1, "__proto__": 2}',
  '\r\n\t{"a"\n:\n1\n}\n',
]

for (const text of GOOD) {
  t.test(`${JSON.stringify(text)} is read as JSON.parse reads it`, async (t) => {
    t.strictSame(JSON.stringify(plain(parseDocument(text))), JSON.stringify(JSON.parse(text)))
  })
}

const BAD: [text: string, line: number, reason: RegExp][] = [
  ['', 1, /^expected a value, but the text ends/],
  ['\n\n', 3, /the text ends/],
  ['{', 1, /^expected a key in quotes, but the text ends/],
  ['{"a": 1', 1, /^expected a comma or }, but the text ends/],
  ['{"a": 1,\n}', 2, /^expected a key in quotes, not }/],
  ['{a: 1}', 1, /^expected a key in quotes, not a/],
  ['{"a" 1}', 1, /^expected :, not 1/],
  ['[1\n2]', 2, /^expected a comma or ], not 2/],
  ['[1,\n]', 2, /^] is not a JSON value/],
  ['[1]\n[2]', 2, /^nothing may follow the end/],
  ['{"a": 1,\n\n "a": 2}', 3, /^the key "a" appears twice/],
  ['{"a": 1, "\\u0061": 2}', 1, /appears twice/],
  ['["a\nb"]', 1, /^a string does not end/],
  ['["a', 1, /^a string does not end/],
  ['["\\x"]', 1, /is not a JSON value/],
  ['// no\n{}', 1, /is not a JSON value/],
  ["['a']", 1, /is not a JSON value/],
  ['[01]', 1, /^01 is not a JSON value/],
  ['[NaN]', 1, /^NaN is not a JSON value/],
  ['[undefined]', 1, /is not a JSON value/],
  ['\ufeff{}', 1, /^JSON has no space like/],
  ['[\u00a01]', 1, /^JSON has no space like/],
  [`${'['.repeat(18)}${']'.repeat(18)}`, 1, /^more than 16 levels deep/],
  ['['.repeat(1_000_000), 1, /^more than 16 levels deep/],
]

for (const [text, line, reason] of BAD) {
  t.test(`${JSON.stringify(text.slice(0, 30))} is refused, in line ${line}`, async (t) => {
    t.throws(() => parseDocument(text), { name: 'DocumentError', line, message: reason })
  })
}

t.test('every value knows the line that it begins in', async (t) => {
  const { value } = parseDocument('\n{\n"a": 1,\n"b":\n[2,\n3]}')
  const [a, b] = value instanceof Map ? [value.get('a'), value.get('b')] : []
  const items = Array.isArray(b?.value) ? (b.value as Node[]) : []
  t.strictSame([a?.line, b?.line, ...items.map(({ line }) => line)], [3, 5, 5, 6])
})

t.test('whatever is done to a document, it is read as JSON.parse reads it or refused with a line', async (t) => {
  const random = seededRandom(t)
  const seed = GOOD.join(',')
  const alphabet = '{}[],:"\\ \n019eE+-.tfnu'
  for (let i = 0; i < 20_000; i++) {
    const start = random.int(seed.length)
    const text = [...seed.slice(start, start + random.int(40))]
    for (let j = random.int(4); j > 0; j--)
      text[random.int(text.length + 1)] = alphabet[random.int(alphabet.length)] ?? ''
    check(text.join(''))
  }
  function check(text: string): void {
    const expected = outcome(() => JSON.stringify(JSON.parse(text)))
    const read = outcome(() => JSON.stringify(plain(parseDocument(text))))
    if (read === 'twice' || read === expected) return
    t.fail(`${JSON.stringify(text)} was read as ${read}, not as ${expected}`)
  }
})

/** Its result, 'refused', or 'twice' for a refusal that JSON.parse has not. */
function outcome(read: () => string): string {
  try {
    return read()
  } catch (error) {
    if (error instanceof DocumentError) return error.message.endsWith('appears twice') ? 'twice' : 'refused'
    return error instanceof SyntaxError ? 'refused' : String(error)
  }
}
