import t from 'tap'
import { checkTree, writeTree } from './support/check-tree.mjs'

function problemsOf(
  t,
  { lerna = '1.2.0', locked = '1.2.0', own = '1.2.0', pinned = '1.2.0', node = '>=22', tool = '^1' },
) {
  const root = t.testdir()
  writeTree(root, {
    'lerna.json': { version: lerna },
    'package.json': { engines: { node: '>=22' }, dependencies: { c: '^1' } },
    'package-lock.json': { packages: { 'packages/a': { version: '1.2.0' }, 'packages/b': { version: locked } } },
    'packages/a/package.json': { name: 'a', version: '1.2.0', engines: { node: '>=22' }, dependencies: { b: pinned } },
    'packages/b/package.json': { name: 'b', version: own, engines: { node }, devDependencies: { c: tool } },
  })
  return checkTree('check-versions', root)
}

t.test('check-versions is content when everything moves together', async (t) => {
  t.same(problemsOf(t, {}), [])
})

t.test('check-versions names what did not move along', async (t) => {
  t.same(problemsOf(t, { own: '1.1.0' }), ['packages/b: version is 1.1.0, not 1.2.0'])
  t.same(problemsOf(t, { locked: '1.1.0' }), ['packages/b: version in package-lock.json is 1.1.0, not 1.2.0'])
  t.same(problemsOf(t, { pinned: '^1.2.0' }), ['packages/a: dependency b is ^1.2.0, not 1.2.0'])
  t.same(problemsOf(t, { node: '>=20' }), ['packages/b: engines.node is >=20, not >=22'])
  t.same(problemsOf(t, { tool: '^2' }), ['package.json: c is ^1, not ^2'])
  t.equal(problemsOf(t, { lerna: '1.3.0' }).length, 5)
})
