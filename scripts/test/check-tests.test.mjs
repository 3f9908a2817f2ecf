import t from 'tap'
import { checkTree, writeTree } from './support/check-tree.mjs'

const FIVE = ['a', 'b', 'c', 'd', 'e'].map((name) => `import ${name} from '${name}'\n`).join('')

function problemsOf(t, files) {
  const root = t.testdir()
  writeTree(root, files)
  return checkTree('check-tests', root)
}

t.test('check-tests is content with five lines of imports, and with one support folder', async (t) => {
  const files = {
    'packages/a/test/sound.ts': `/** A comment. */\n${FIVE}\nconst late = await import('f')\n`,
    'packages/a/test-support/index.ts': `${FIVE}import f from 'f'\n`,
    'packages/a/test-support/fixtures/program.ts': `${FIVE}import f from 'f'\n`,
    'packages/a/src/main.ts': `${FIVE}import f from 'f'\n`,
    'packages/b/test/alone.ts': FIVE,
  }
  t.same(problemsOf(t, files), [])
})

t.test('check-tests refuses a sixth line, of one import or of many', async (t) => {
  const files = {
    'packages/a/test/many.ts': `${FIVE}import f from 'f'\n`,
    'packages/a/test/deep/long.ts': `import {\n  a,\n  b,\n  c,\n  d,\n} from 'a'\n`,
  }
  t.same(problemsOf(t, files), [
    'packages/a/test/deep/long.ts: its imports take 6 lines, not 5',
    'packages/a/test/many.ts: its imports take 6 lines, not 5',
  ])
})

t.test('check-tests refuses support elsewhere, and support without an index', async (t) => {
  const files = { 'packages/a/test/fixtures/x.py': '', 'packages/b/test-support/x.ts': 'export const x = 1\n' }
  t.same(problemsOf(t, files), [
    'packages/a/test/fixtures/x.py: belongs in test-support',
    'packages/b/test-support: has no index.ts',
  ])
})
