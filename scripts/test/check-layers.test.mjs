import t from 'tap'
import { checkTree, writeTree } from './support/check-tree.mjs'

const SOUND = {
  'package.json': { devDependencies: { tap: '1' } },
  'packages/memfd-native/package.json': { name: 'memfd-native', exports: { '.': './index.js' } },
  'packages/shared/package.json': {
    name: '@memsvc/shared',
    exports: { '.': './index.js', './internal': './internal.js' },
    dependencies: { 'memfd-native': '1' },
  },
  'packages/shared/src/os/region.ts': `import { map } from 'memfd-native'\nimport { check } from '../util/check.ts'\n`,
  'packages/client-cli/package.json': {
    name: '@memsvc/client-cli',
    dependencies: { '@memsvc/shared': '1' },
    devDependencies: { 'memfd-native': '1' },
  },
  'packages/client-cli/src/main.ts': `import { x } from '@memsvc/shared/internal'\n`,
  'packages/client-cli/test/main.ts': `import t from 'tap'\nimport { socketpair } from 'memfd-native'\n`,
}

function problemsWith(t, path, content) {
  const root = t.testdir()
  writeTree(root, { ...SOUND, [path]: content })
  return checkTree('check-layers', root)
}

const ALLOWED = {
  'a sound tree': ['packages/shared/src/util/check.ts', ''],
  'a type from a layer above': ['packages/shared/src/os/a.ts', `import type { Parcel } from '../parcel/parcel.ts'\n`],
  'an import of the same layer': ['packages/shared/src/interfaces/a.ts', `export * from '../service-manager/b.ts'\n`],
  'an import in a comment': ['packages/shared/src/os/a.ts', `/** as\n import { x } from '../binder/x.ts'\n */\n`],
}

const REFUSED = {
  'an upward import': ['packages/shared/src/os/a.ts', `import {\n  Parcel,\n} from '../parcel/parcel.ts'\n`, 'upward'],
  'an upward re-export': ['packages/shared/src/util/a.ts', `export { x } from '../errors/../os/x.ts'\n`, 'upward'],
  'an upward import at run time': ['packages/shared/src/os/a.ts', `await import('../index.ts')\n`, 'upward'],
  'inline types, which still load the module': [
    'packages/shared/src/os/a.ts',
    `import { type Parcel } from '../parcel/parcel.ts'\n`,
    'upward',
  ],
  'a folder without a layer': ['packages/shared/src/misc/a.ts', `import '../os/region.ts'\n`, 'no layer'],
  'sources that import tests': ['packages/shared/src/os/a.ts', `import '../../test/a.ts'\n`, 'outside src'],
  'a path into another package': [
    'packages/client-cli/src/a.ts',
    `import { x } from '../../shared/src/index.ts'\n`,
    'outside its package',
  ],
  'a subpath that is not exported': [
    'packages/client-cli/src/a.ts',
    `import '@memsvc/shared/dist/src/x.js'\n`,
    'not among the exports',
  ],
  'a layer left out': ['packages/client-cli/src/a.ts', `import { map } from 'memfd-native'\n`, 'not a layer below it'],
  'an import that is not declared': ['packages/shared/src/os/a.ts', `import pino from 'pino'\n`, 'not in its package'],
  'a development tool in what ships': ['packages/shared/src/os/a.ts', `import t from 'tap'\n`, 'not in its package'],
  'a dependency that nothing imports': ['packages/client-cli/src/main.ts', '', 'nothing imports'],
}

for (const [title, [path, text]] of Object.entries(ALLOWED)) {
  t.test(`check-layers allows ${title}`, async (t) => t.same(problemsWith(t, path, text), []))
}

for (const [title, [path, text, reason]] of Object.entries(REFUSED)) {
  t.test(`check-layers refuses ${title}`, async (t) => {
    const problems = problemsWith(t, path, text)
    t.equal(problems.length, 1)
    t.ok(problems[0]?.includes(reason), problems[0])
  })
}
