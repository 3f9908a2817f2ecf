import t from 'tap'
import { readTapReport } from '../lib/tap-report.mjs'
import { listTests } from '../lib/tests.mjs'
import { writeTree } from './support/check-tree.mjs'

t.test('a test run has the totals of tap', async (t) => {
  const report = 'ok 1 - a\n# { total: 9, pass: 7, fail: 2 }\n# time=1ms\n'
  t.same(readTapReport(report), { passed: 7, failed: 2, failures: [], skipped: [] })
})

t.test(
  'failures are listed with their reasons, from the point out to the file, after the output of the tests',
  async (t) => {
    const point = '    not ok 2 - equal\n      ---\n      diff: 1\n      ...'
    const file = 'not ok 1 - a.js # time=1ms'
    const report = `    # SEED=7\n    ok 1 - x\n${point}\n${file}\nnot ok 2 - later # TODO\n# { total: 2, pass: 1, fail: 1 }\n`
    t.same(readTapReport(report).failures, ['    # SEED=7', point, file])
  },
)

t.test('skipped tests are named with their reason', async (t) => {
  const report =
    '    ok 2 - other uid # SKIP needs root\n    ok 3 - point # SKIP\nok 4 - b # TODO\n# { total: 3, pass: 0 }\n'
  t.same(readTapReport(report).skipped, ['other uid (needs root)', 'point (skip)', 'b (todo)'])
})

t.test('a file without a test in it has failed', async (t) => {
  const report = 'ok 1 - a.js # SKIP no tests found\n# { total: 1, pass: 0, skip: 1 }\n'
  t.equal(readTapReport(report).failed, 1)
})

t.test('a run that did not come to its totals has failed', async (t) => {
  t.same(readTapReport('ok 1 - a\n'), { passed: 0, failed: 1, failures: [], skipped: [] })
})

t.test('paths select tests by their source, their output or their folder; fixtures are no tests', async (t) => {
  const compiled = ['os/a.js', 'os/a.d.ts', 'osx/b.js', 'fixtures/c.js'].map((name) => `packages/p/dist/test/${name}`)
  const files = [...compiled, 'packages/p/package.json', 'scripts/test/d.test.mjs', 'scripts/test/support/e.mjs']
  const root = t.testdir()
  writeTree(root, Object.fromEntries(files.map((path) => [path, '{}'])))
  const [a, b, d] = ['packages/p/dist/test/os/a.js', 'packages/p/dist/test/osx/b.js', 'scripts/test/d.test.mjs']
  t.same(listTests(root, []), [a, b, d])
  t.same(listTests(root, ['packages/p/test/os']), [a])
  t.same(listTests(root, ['packages/p/test/osx/b.ts', 'scripts']), [b, d])
  t.same(listTests(root, [a]), [a])
  t.same(listTests(root, ['packages/q']), [])
})
