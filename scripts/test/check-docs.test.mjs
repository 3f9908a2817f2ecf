import { homedir } from 'node:os'
import t from 'tap'
import { checkTree, writeTree } from './support/check-tree.mjs'

const SOUND = {
  'package.json': { devDependencies: { tap: '1' } },
  'CONTRIBUTING.md':
    '`tap` runs the tests. See [below](#why-so) and [errors](docs/errors.md#all-codes).\n\n## Why so?\n',
  'docs/errors.md': '# All codes\n\n| `ERR_CLOSED` | closed |\n',
  'packages/a/README.md': '# a\n',
  'packages/a/package.json': { name: 'a' },
  'packages/a/src/errors.ts': `class A { code = 'ERR_CLOSED' }\n`,
}

function problemsWith(t, files) {
  const root = t.testdir()
  writeTree(root, { ...SOUND, ...files })
  return checkTree('check-docs', root).map((problem) => problem.replaceAll(root, 'ROOT'))
}

t.test('check-docs is content with documents that say what the code does', async (t) => {
  t.same(problemsWith(t, {}), [])
})

t.test('check-docs compares the error codes in both directions', async (t) => {
  t.same(problemsWith(t, { 'packages/a/native/x.cc': '"ERR_NEW"' }), ['docs/errors.md lacks ERR_NEW'])
  t.same(problemsWith(t, { 'packages/a/src/errors.ts': '' }), ['docs/errors.md has ERR_CLOSED, no source has'])
})

t.test('check-docs misses a README and the reason for a dependency', async (t) => {
  const problems = problemsWith(t, { 'packages/b/package.json': { name: 'b', dependencies: { pino: '1', a: '1' } } })
  t.same(problems, ['CONTRIBUTING.md lacks the reason for pino', 'packages/b has no README.md'])
})

t.test('check-docs misses the state that a module keeps', async (t) => {
  const table = '## The state that a thread keeps\n\n| `os/a.ts` | a number |\n\n## Next\n\n`os/b.ts`\n'
  const problems = problemsWith(t, {
    'docs/architecture.md': table,
    'packages/shared/src/os/a.ts': 'let count = 0\n',
    'packages/shared/src/os/b.ts': 'let count = 0\n',
    'packages/shared/src/os/c.ts': 'const all = new Map<string, number>()\n',
    'packages/shared/src/os/d.ts': 'const collected = new FinalizationRegistry<X>((x) => x.close())\n',
    'packages/shared/src/os/e.ts': `let ownerOf: (fd: Fd) => OwnedFd\nconst NAMES = new Set(['a'])\nconst NO_FDS: Fd[] = []\n`,
    'packages/memfd-native/src/f.ts': 'const spare: Buffer[] = []\n',
  })
  const lacking = ['memfd-native/src/f.ts', 'shared/src/os/b.ts', 'shared/src/os/c.ts', 'shared/src/os/d.ts']
  t.same(
    problems,
    lacking.map((file) => `docs/architecture.md lacks the state that packages/${file} keeps`),
  )
})

t.test('check-docs follows relative links and their anchors', async (t) => {
  const page =
    '[gone](docs/gone.md) [nowhere](docs/errors.md#nowhere) [far](https://example.org/x)\n```\n[code](gone)\n```\n'
  t.same(problemsWith(t, { 'page.md': page }), [
    'page.md: nothing at docs/gone.md',
    'page.md: nothing at docs/errors.md#nowhere',
  ])
})

t.test('check-docs finds paths of the machine it runs on', async (t) => {
  const root = t.testdir()
  writeTree(root, {
    ...SOUND,
    'a.md': `cd ${root}/src\n`,
    'b.md': 'ls $HOME/x\n',
    'c.sh': `cat '${homedir()}/notes'\n`,
  })
  const problems = checkTree('check-docs', root)
  t.match(problems.join('\n'), /a\.md holds a path/)
  t.match(problems.join('\n'), /c\.sh holds a path/)
  t.notMatch(problems.join('\n'), /b\.md/)
})
