/** An error that nobody catches shows the line where it was thrown, of code that people can read. */
import t from 'tap'
import { nodeFs, nodePath, nodeUrl, runProgram } from '../../test-support/index.ts'

const PACKAGES = nodeUrl.fileURLToPath(new URL('../../../../', import.meta.url))
const BUNDLES = [
  'memfd-native/dist/bundle',
  'shared/dist/bundle',
  'memory-service/dist/bundle',
  'memory-service/dist',
  'client-cli/dist',
]
const LONGEST = 500

function longLines(text: string): string[] {
  return text.split('\n').filter((line) => line.length > LONGEST)
}

const PROGRAMS: Record<string, [text: string, message: RegExp]> = {
  'an argument': ["new MemoryFile('x', 0)", /^InvalidArgValueError: .*length.*/m],
  'a closed object': ["const file = new MemoryFile('x', 8); file.close(); file.readInt32BE(0)", /^DeactivatedError: /m],
  'a registry that is not there': [
    "await ServiceManager.connect({ path: '/nowhere/r.sock' })",
    /^RegistryUnavailable/m,
  ],
}

for (const [what, [text, message]] of Object.entries(PROGRAMS)) {
  t.test(`uncaught, about ${what}: lines of ours, with file and number, none of them long`, async (t) => {
    const program = `import { MemoryFile, ServiceManager } from '@memsvc/shared'\n${text}\n`
    const path = nodePath.join(t.testdir({ 'program.mjs': program }), 'program.mjs')
    const { code, stderr } = await runProgram(path, [])
    t.equal(code, 1)
    t.match(stderr, message)
    t.match(stderr, /(shared|memfd-native)\/dist\/bundle\/\w+\.c?js:\d+/, 'where it was thrown')
    t.match(stderr, /^ {4}at .*program\.mjs:2:\d+/m, 'and who called')
    t.notMatch(stderr, /\b_[A-Z]\w+/, 'no name that a tool has made up')
    t.strictSame(longLines(stderr), [])
  })
}

t.test('nothing that is run has a line that fills a screen', async (t) => {
  for (const folder of BUNDLES) {
    for (const file of nodeFs.readdirSync(nodePath.join(PACKAGES, folder)).filter((name) => /\.c?js$/.test(name))) {
      const lines = longLines(nodeFs.readFileSync(nodePath.join(PACKAGES, folder, file), 'utf8'))
      t.strictSame(lines, [], `${folder}/${file}`)
    }
  }
})
