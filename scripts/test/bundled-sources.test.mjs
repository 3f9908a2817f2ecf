/** What is bundled of the sources does what they do. */
import { existsSync } from 'node:fs'
import { transformSync } from 'esbuild'
import t from 'tap'
import { listSources, quickSources, readText, repositoryRoot, STAND_INS, withoutComments } from './support/packages.mjs'

t.test('comments on lines of their own are left out, and the lines stay', async (t) => {
  t.equal(withoutComments('/** a\n * b */\nf(1) /* c */\n  /* d */\ng()'), '\n\nf(1) /* c */\n\ng()')
  t.equal(withoutComments('/* a */ f()\n/* b */'), '/* a */ f()\n')
})

t.test('no source means anything else without its comments', async (t) => {
  const code = (text) => transformSync(text, { loader: 'ts', minifyWhitespace: true }).code
  const files = listSources(repositoryRoot, 'packages').filter((file) => /\/src\/.*\.ts$/.test(file))
  const others = [
    'commander/lib/command.js',
    'commander/lib/help.js',
    'pino/pino.js',
    'pino/lib/proto.js',
    'pino/lib/tools.js',
  ]
  const changed = [...files, ...others.map((name) => `node_modules/${name}`)].filter((file) => {
    const text = readText(repositoryRoot, file)
    return code(withoutComments(text)) !== code(text)
  })
  t.same(changed, [])
})

t.test('what stands in for a module in a quick bundle stands in for one that there is', async (t) => {
  for (const end of Object.keys(STAND_INS)) t.ok(existsSync(`${repositoryRoot}/packages/${end}`), end)
})

t.test('in a quick bundle no error is named, and the lines stay', async (t) => {
  const path = 'packages/shared/src/util/errors.ts'
  const text = readText(repositoryRoot, path)
  const quick = quickSources(text, `/${path}`)
  t.match(text, 'static {')
  t.notMatch(quick, 'static {')
  t.equal(quick.split('\n').length, text.split('\n').length)
  t.ok(transformSync(quick, { loader: 'ts' }).code)
})
