/** Builds the copy: everything once, then for each mutant only what it needs, without the compiler's checks. */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import ts from 'typescript'

const NATIVE = 'packages/memfd-native'
const COMPILER_OPTIONS = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
  rewriteRelativeImportExtensions: true,
}

/** Everything, as `npm run build` does, and the tests. */
export async function buildAll(scratch) {
  for (const args of [['scripts/build.mjs'], ['node_modules/typescript/bin/tsc', '-b', 'tsconfig.test.json']]) {
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: scratch, encoding: 'utf8' })
    if (status !== 0) throw new Error(`the tree does not build:\n${stdout}${stderr}`)
  }
  await bundlers(scratch) // now: loaded after a test has run, esbuild came without its functions (seen, not understood)
}

/** What was built of a mutant that is not there any more, by copy: scripts, the addon. */
const stale = new Map()

function staleOf(scratch) {
  if (!stale.has(scratch)) stale.set(scratch, new Set())
  return stale.get(scratch)
}

const kindOf = (file) => (file.endsWith('.ts') ? 'script' : 'native')

/** A source of the copy with another text. A script's module is made of it: all that the tests of its package see of it. */
export function putMutant(scratch, file, text) {
  write(scratch, file, text)
}

/** All else that is made of it. @returns an error's text, or null */
export async function buildMutant(scratch, file) {
  const kind = kindOf(file)
  staleOf(scratch).delete(kind)
  await settle(scratch)
  staleOf(scratch).add(kind)
  return kind === 'script' ? bundle(scratch) : makeNative(scratch)
}

/** The source as it was. What was built is built anew with the next mutant of its kind, or by `settle`. */
export function takeBack(scratch, file, text) {
  write(scratch, file, text)
}

/** Builds what still has a mutant in it. */
export async function settle(scratch) {
  for (const kind of staleOf(scratch)) {
    const error = kind === 'script' ? await bundle(scratch) : makeNative(scratch)
    if (error !== null) throw new Error(`the copy does not build any more: ${error}`)
    staleOf(scratch).delete(kind)
  }
}

function write(scratch, file, text) {
  writeFileSync(join(scratch, file), text)
  if (kindOf(file) !== 'script') return
  const output = ts.transpileModule(text, { compilerOptions: COMPILER_OPTIONS, fileName: file }).outputText
  writeFileSync(join(scratch, file.replace('/src/', '/dist/src/').replace(/\.ts$/, '.js')), output)
}

async function bundle(scratch) {
  const { bundleCommands, bundlePackages } = await bundlers(scratch)
  try {
    await bundlePackages(scratch)
    await bundleCommands(scratch) // and forgets what Node compiled of the ones before
  } catch (error) {
    return error.message
  }
  return null
}

const known = new Map()

/** The copy's own: what is bundled, and how, may be another thing there than here. */
function bundlers(scratch) {
  if (!known.has(scratch)) known.set(scratch, import(pathToFileURL(join(scratch, 'scripts/lib/bundle.mjs')).href))
  return known.get(scratch)
}

function makeNative(scratch) {
  const args = ['-C', join(scratch, NATIVE, 'build'), 'BUILDTYPE=Release', '-s']
  const { status, stderr } = spawnSync('make', args, { encoding: 'utf8' })
  return status === 0 ? null : stderr
}

export function readSource(scratch, file) {
  return readFileSync(join(scratch, file), 'utf8')
}
