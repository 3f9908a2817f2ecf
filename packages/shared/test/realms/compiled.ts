/**
 * The bundle is run from the code that the build left beside it, or as Node loads modules: it is the same library, with the same lines in
 * its stacks. Each program runs in a copy of the package, with another state of that code.
 */
import t, { type Test } from 'tap'
import { nodeFs, nodePath, nodeUrl, runProgram } from '../../test-support/index.ts'

const PACKAGES = nodeUrl.fileURLToPath(new URL('../../../../', import.meta.url))
const BUNDLE = nodePath.join(PACKAGES, 'shared/dist/bundle')
const CODE = /\.code-cache$/

const PROGRAM = `
  import * as shared from '@memsvc/shared'
  import * as internal from '@memsvc/shared/internal'
  import { isMainThread } from 'node:worker_threads'
  const file = new shared.MemoryFile('copy', 8)
  file.writeInt32BE(4, -7)
  class Own extends shared.Binder {}
  const data = shared.Parcel.obtain()
  data.writeStrongBinder(new Own())
  let stack
  try { file.readInt32BE(9) } catch (error) { stack = error.stack }
  console.log(JSON.stringify({
    read: file.readInt32BE(4),
    isOne: internal.Signal !== undefined && new internal.Ledger({}) instanceof internal.Ledger,
    isOwn: new Own() instanceof shared.Binder,
    names: [Object.keys(shared), Object.keys(internal)].map((names) => names.length),
    stack,
  }))
  file.close()
`

interface Said {
  readonly read: number
  readonly isOne: boolean
  readonly isOwn: boolean
  readonly names: readonly number[]
  readonly stack: string
}

/** The package alone, in a folder where memfd-native is found. @returns the path of a program that uses it */
function copy(t: Test): string {
  const folder = t.testdir({ 'program.mjs': PROGRAM, node_modules: { '@memsvc': { shared: {} } } })
  const modules = nodePath.join(folder, 'node_modules')
  nodeFs.symlinkSync(nodePath.join(PACKAGES, 'memfd-native'), nodePath.join(modules, 'memfd-native'))
  const own = nodePath.join(modules, '@memsvc/shared')
  nodeFs.cpSync(nodePath.join(PACKAGES, 'shared/package.json'), nodePath.join(own, 'package.json'))
  nodeFs.cpSync(BUNDLE, nodePath.join(own, 'dist/bundle'), { recursive: true })
  return nodePath.join(folder, 'program.mjs')
}

/** Paths of the compiled code beside the copy. */
function codeOf(program: string): string[] {
  const folder = nodePath.join(nodePath.dirname(program), 'node_modules/@memsvc/shared/dist/bundle')
  const names = nodeFs.readdirSync(folder).filter((name) => CODE.test(name))
  return names.map((name) => nodePath.join(folder, name))
}

async function said(t: Test, program: string, env: Record<string, string> = {}): Promise<Said> {
  const { code, stdout, stderr } = await runProgram(program, [], { env })
  t.equal(code, 0, stderr)
  t.equal(stderr, '')
  return JSON.parse(stdout) as Said
}

const change: Record<string, (program: string) => void> = {
  'as it was built': () => undefined,
  'without compiled code': (program) => {
    for (const path of codeOf(program)) nodeFs.rmSync(path)
  },
  'with code of something else': (program) => {
    for (const path of codeOf(program)) nodeFs.writeFileSync(path, Buffer.alloc(4096, 1))
  },
  'with half of the code': (program) => {
    for (const path of codeOf(program)) nodeFs.truncateSync(path, nodeFs.statSync(path).size >> 1)
  },
  'with nothing of the code': (program) => {
    for (const path of codeOf(program)) nodeFs.truncateSync(path, 0)
  },
}

for (const [how, act] of Object.entries(change)) {
  t.test(`${how} the library is the same`, async (t) => {
    const program = copy(t)
    act(program)
    const { read, isOne, isOwn, names, stack } = await said(t, program)
    t.strictSame([read, isOne, isOwn], [-7, true, true])
    t.ok(names.every((count) => count > 0))
    t.match(stack, /library\.js:\d+:\d+/)
    const [, line] = /library\.js:(\d+)/.exec(stack) ?? []
    const lines = nodeFs.readFileSync(nodePath.join(BUNDLE, 'library.js'), 'utf8').split('\n')
    t.match(lines[Number(line) - 1], /throw|new \w*Error/, 'the line in the stack is the one in the file')
  })
}

for (const [what, env] of Object.entries({
  'source maps': { NODE_OPTIONS: '--enable-source-maps' },
  'another flag of V8': { NODE_OPTIONS: '--max-old-space-size=512' },
})) {
  t.test(`with ${what} too`, async (t) => {
    const { read, stack } = await said(t, copy(t), env)
    t.equal(read, -7)
    t.match(stack, what === 'source maps' ? /src\/\w+\/[\w-]+\.ts:\d+/ : /library\.js:\d+/)
  })
}

t.test('bundlers are led to the same names', async (t) => {
  for (const entry of ['index.js', 'internal.js']) {
    const namesOf = async (path: string) => Object.keys((await import(nodePath.join(BUNDLE, path))) as object)
    const run = await namesOf(entry)
    const bundled = await namesOf(`module/${entry}`)
    t.strictSame(run, bundled)
  }
})
