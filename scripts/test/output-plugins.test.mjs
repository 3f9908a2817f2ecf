/** What is done to the output of a build: to its own files, and to no other in the same folder. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import t from 'tap'
import { LINE_MAPS, OWN_NAMES } from './support/packages.mjs'

/** A class that speaks of itself, which esbuild calls `_Speaker`. */
const SOURCE = 'export class Speaker {\n  static made = new Speaker()\n  speak() { return Speaker.made }\n}\n'
/** What another build is writing: only its first bytes are there. Neither is what the plugins would leave. */
const HALF = { 'other.cjs': 'var Other = class _Other { static made = new _Oth', 'other.cjs.map': '{"version":3,"mapp' }

t.test('its own files are changed, and no other', async (t) => {
  const folder = t.testdir({ 'own.js': SOURCE, out: HALF })
  const out = join(folder, 'out')
  await build({
    absWorkingDir: folder,
    entryPoints: ['own.js'],
    outdir: out,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    format: 'cjs',
    target: 'node20',
    sourcemap: true,
    metafile: true,
    plugins: [OWN_NAMES, LINE_MAPS],
  })
  for (const [file, text] of Object.entries(HALF)) t.equal(readFileSync(join(out, file), 'utf8'), text, file)
  const own = readFileSync(join(out, 'own.cjs'), 'utf8')
  t.match(own, /class Speaker/)
  t.notMatch(own, /_Speaker/)
  const { mappings, names } = JSON.parse(readFileSync(join(out, 'own.cjs.map'), 'utf8'))
  t.same(names, [])
  for (const line of mappings.split(';')) t.ok(line.split(',').length <= 4, 'a map by lines')
})

t.test('a build that failed is told, and changes nothing', async (t) => {
  const folder = t.testdir({ 'own.js': 'class {', out: HALF })
  const options = { absWorkingDir: folder, entryPoints: ['own.js'], outdir: join(folder, 'out'), logLevel: 'silent' }
  await t.rejects(build({ ...options, metafile: true, plugins: [OWN_NAMES, LINE_MAPS] }), /Build failed/)
  for (const [file, text] of Object.entries(HALF)) t.equal(readFileSync(join(folder, 'out', file), 'utf8'), text, file)
})
