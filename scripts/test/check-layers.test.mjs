import t from 'tap'
import { findProblems } from '../check-layers.mjs'
import { checkTree, writeTree } from './support/check-tree.mjs'

const SOUND = {
  'package.json': { devDependencies: { tap: '1' } },
  'packages/memfd-native/package.json': { name: 'memfd-native', exports: { '.': './index.js' } },
  'packages/shared/package.json': {
    name: '@memsvc/shared',
    exports: { '.': './index.js', './internal': './internal.js', './test-support': './test-support.js' },
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

t.test('the program prints each problem', async (t) => {
  const root = t.testdir()
  writeTree(root, { ...SOUND, 'packages/shared/src/os/a.ts': `import '../parcel/b.ts'\n` })
  t.same(checkTree('check-layers', root), ['packages/shared/src/os/a.ts imports ../parcel/b.ts: upward'])
})

function problemsWith(t, files) {
  const root = t.testdir()
  writeTree(root, { ...SOUND, ...files })
  return findProblems(root)
}

const SHARED = 'packages/shared/src'
const NATIVE = 'packages/memfd-native/native'
const DAEMON = 'packages/memory-service/src'
const TRIO = {
  [`${SHARED}/parcel/parcel.ts`]: `import { x } from './ibinder.ts'\nimport type { P } from './parcelable.ts'\n`,
  [`${SHARED}/parcel/ibinder.ts`]: `import type { Parcel } from './parcel.ts'\n`,
  [`${SHARED}/parcel/parcelable.ts`]: `import type { Parcel } from './parcel.ts'\n`,
}

const ALLOWED = {
  'a sound tree': {},
  'an import of the same layer': { [`${SHARED}/interfaces/a.ts`]: `export * from '../service-manager/b.ts'\n` },
  'an import in a comment': { [`${SHARED}/os/a.ts`]: `/** as\n import { x } from '../binder/x.ts'\n */\n` },
  'an import in a string': { [`${SHARED}/os/a.ts`]: `const text = \`\nimport { x } from '../binder/x.ts'\n\`\n` },
  'the three files of Android that name each other': TRIO,
  'two ways to one file': {
    [`${DAEMON}/a.ts`]: `import './b.ts'\nimport './c.ts'\n`,
    [`${DAEMON}/b.ts`]: `import './c.ts'\n`,
  },
  'native files that include lower ones': {
    [`${NATIVE}/define.h`]: '#include "environment.h"\n#include <napi.h>\n',
    [`${NATIVE}/fd.cc`]: '#include "define.h"\n#include "families.h"\n',
  },
  'a source that includes its own header': { [`${NATIVE}/hub.cc`]: '#include "hub.h"\n', [`${NATIVE}/hub.h`]: '' },
}

const REFUSED = {
  'an upward import': [{ [`${SHARED}/os/a.ts`]: `import {\n  Parcel,\n} from '../parcel/parcel.ts'\n` }, 'upward'],
  'an upward re-export': [{ [`${SHARED}/os/a.ts`]: `export { x } from '../util/../parcel/x.ts'\n` }, 'upward'],
  'an upward import at run time': [{ [`${SHARED}/os/a.ts`]: `await import('../index.ts')\n` }, 'upward'],
  'an upward import with comments in its list': [
    { [`${SHARED}/os/a.ts`]: `import {\n  a, // one\n  b /* two */,\n} from '../parcel/parcel.ts'\n` },
    'upward',
  ],
  'an upward import behind another one': [
    { [`${SHARED}/os/a.ts`]: `import './b.ts'; import '../parcel/x.ts'\n` },
    'upward',
  ],
  'an upward import by a template': [{ [`${SHARED}/os/a.ts`]: 'await import(`../parcel/parcel.ts`)\n' }, 'upward'],
  'an upward import with a comment or options': [
    { [`${SHARED}/os/a.ts`]: `await import(/* late */ '../parcel/x.json', { with: { type: 'json' } })\n` },
    'upward',
  ],
  'an upward import by require': [{ [`${SHARED}/os/a.ts`]: `const x = require('../parcel/x.ts')\n` }, 'upward'],
  'an upward reference': [{ [`${SHARED}/os/a.ts`]: `/// <reference path="../parcel/x.ts" />\n` }, 'upward'],
  'a type from a layer above': [{ [`${SHARED}/os/a.ts`]: `import type { P } from '../parcel/parcel.ts'\n` }, 'upward'],
  'an inline type from above': [{ [`${SHARED}/os/a.ts`]: `import { type P } from '../parcel/parcel.ts'\n` }, 'upward'],
  'a type of above in an expression': [{ [`${SHARED}/os/a.ts`]: `let p: import('../parcel/parcel.ts').P\n` }, 'upward'],
  'a helper of the tests in a program': [{ [`${DAEMON}/a.ts`]: `import '../test-support/b.ts'\n` }, "a test's"],
  'a test in a command': [{ 'packages/client-cli/bin/a.js': `import '../test/main.ts'\n` }, "a test's"],
  'the tests of a sibling in a program': [
    { 'packages/client-cli/src/a.ts': `import { x } from '@memsvc/shared/test-support'\n` },
    "a test's",
  ],
  'a folder without a layer': [{ [`${SHARED}/misc/a.ts`]: `import '../os/region.ts'\n` }, 'no layer'],
  'sources that import tests': [{ [`${SHARED}/os/a.ts`]: `import '../../test/a.ts'\n` }, "a test's"],
  'a path into another package': [
    { 'packages/client-cli/src/a.ts': `import { x } from '../../shared/src/index.ts'\n` },
    'outside its package',
  ],
  'a subpath that is not exported': [
    { 'packages/client-cli/src/a.ts': `import '@memsvc/shared/dist/src/x.js'\n` },
    'not among the exports',
  ],
  'a layer left out': [
    { 'packages/client-cli/src/a.ts': `import { map } from 'memfd-native'\n` },
    'not a layer below it',
  ],
  'a new package that loads more than the library': [
    {
      'packages/ui/package.json': { name: '@memsvc/ui', dependencies: { 'memfd-native': '1' } },
      'packages/ui/src/a.ts': `import { map } from 'memfd-native'\n`,
    },
    'not a layer below it',
  ],
  'an import that is not declared': [{ [`${SHARED}/os/a.ts`]: `import pino from 'pino'\n` }, 'not in its package'],
  'a development tool in what ships': [{ [`${SHARED}/os/a.ts`]: `import t from 'tap'\n` }, 'not in its package'],
  'a dependency that nothing imports': [{ 'packages/client-cli/src/main.ts': '' }, 'nothing imports'],
  'two files of a folder that import each other': [
    { [`${SHARED}/os/a.ts`]: `import './b.ts'\n`, [`${SHARED}/os/b.ts`]: `import './a.ts'\n` },
    `a circle of ${SHARED}/os/a.ts, ${SHARED}/os/b.ts: ${SHARED}/os/a.ts imports ./b.ts, ${SHARED}/os/b.ts imports ./a.ts`,
  ],
  'a circle of types': [
    {
      [`${SHARED}/binder/a.ts`]: `import type { B } from './b.ts'\n`,
      [`${SHARED}/binder/b.ts`]: `import { type C } from './c.ts'\n`,
      [`${SHARED}/binder/c.ts`]: `export type { A } from './a.ts'\n`,
    },
    `a circle of ${SHARED}/binder/a.ts, ${SHARED}/binder/b.ts, ${SHARED}/binder/c.ts`,
  ],
  'a circle closed at run time': [
    { [`${DAEMON}/a.ts`]: `import './b.ts'\n`, [`${DAEMON}/b.ts`]: `const a = await import('./a.ts')\n` },
    'a circle',
  ],
  'a file that imports itself': [{ [`${DAEMON}/a.ts`]: `import './a.ts'\n` }, `a circle of ${DAEMON}/a.ts:`],
  'folders that import each other, though no files do': [
    {
      [`${DAEMON}/access/a.ts`]: `import '../config/b.ts'\n`,
      [`${DAEMON}/config/c.ts`]: `import type { D } from '../access/d.ts'\n`,
    },
    `a circle of ${DAEMON}/access, ${DAEMON}/config`,
  ],
  'a folder and a file beside it that import each other': [
    { [`${DAEMON}/access/a.ts`]: `import '../b.ts'\n`, [`${DAEMON}/b.ts`]: `import './access/c.ts'\n` },
    `a circle of ${DAEMON}/access, ${DAEMON}/b.ts`,
  ],
  'a folder that needs a file of src, where another file of src needs the folder': [
    { [`${DAEMON}/access/a.ts`]: `import '../b.ts'\n`, [`${DAEMON}/c.ts`]: `import './access/a.ts'\n` },
    `a circle of ${DAEMON}, ${DAEMON}/access`,
  ],
  'a circle of tests': [
    { 'packages/shared/test/a.ts': `import './b.ts'\n`, 'packages/shared/test/b.ts': `import './a.ts'\n` },
    'a circle',
  ],
  'a circle of scripts': [
    { 'scripts/lib/a.mjs': `import './b.mjs'\n`, 'scripts/lib/b.mjs': `import './a.mjs'\n` },
    'a circle',
  ],
  "a fourth file in the circle of Android's three": [
    {
      ...TRIO,
      [`${SHARED}/parcel/ibinder.ts`]: `import './a.ts'\n`,
      [`${SHARED}/parcel/a.ts`]: `import type { Parcel } from './parcel.ts'\n`,
    },
    `${SHARED}/parcel/a.ts, ${SHARED}/parcel/ibinder.ts`,
  ],
  'headers that include each other': [
    { [`${NATIVE}/args.h`]: '#include "words.h"\n', [`${NATIVE}/words.h`]: '#  include "args.h"\n' },
    `a circle of ${NATIVE}/args, ${NATIVE}/words`,
  ],
  'a header that includes itself': [{ [`${NATIVE}/args.h`]: '#include "args.h"\n' }, `a circle of ${NATIVE}/args:`],
  'sources that need the header of each other': [
    { [`${NATIVE}/fd.cc`]: '#include "scm.h"\n', [`${NATIVE}/scm.cc`]: '#include "fd.h"\n' },
    `a circle of ${NATIVE}/fd, ${NATIVE}/scm`,
  ],
  'a native folder that needs a file of native, where another file of native needs the folder': [
    {
      [`${NATIVE}/environment.h`]: '',
      [`${NATIVE}/poll/a.h`]: '#include "../environment.h"\n',
      [`${NATIVE}/fd.cc`]: '#include "poll/a.h"\n',
    },
    `a circle of ${NATIVE}, ${NATIVE}/poll`,
  ],
  'a source that no unit has': [
    { [`${NATIVE}/units/a.cc`]: '#include "../fd.cc"\n', [`${NATIVE}/fd.cc`]: '', [`${NATIVE}/scm.cc`]: '' },
    `${NATIVE}/scm.cc: not in exactly one of the units`,
  ],
  'native code that includes upward': [{ [`${NATIVE}/args.h`]: '#include "define.h"\n' }, 'upward'],
  'native code without a layer': [{ [`${NATIVE}/misc.cc`]: '#include "define.h"\n' }, 'no layer'],
}

for (const [title, files] of Object.entries(ALLOWED)) {
  t.test(`check-layers allows ${title}`, async (t) => t.same(problemsWith(t, files), []))
}

for (const [title, [files, reason]] of Object.entries(REFUSED)) {
  t.test(`check-layers refuses ${title}`, async (t) => {
    const problems = problemsWith(t, files)
    t.equal(problems.length, 1)
    t.ok(problems[0]?.includes(reason), problems[0])
  })
}
