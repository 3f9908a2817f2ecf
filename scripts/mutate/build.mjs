/** Builds the copy: all of it once, then for each mutant no more than it needs, without the compiler's checks. */
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import ts from 'typescript'

const NATIVE = 'packages/memfd-native'
/** What was compiled of memclient for the next start is of no use to another memclient. */
const CODE_CACHES = ['memclient', 'quick-read'].map((name) => `packages/client-cli/dist/${name}.code-cache`)
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

/** A source of the copy with another text, and all that is made of it. @returns an error's text, or null */
export async function rebuild(scratch, file, text) {
  writeFileSync(join(scratch, file), text)
  return file.endsWith('.ts') ? rebuildScript(scratch, file, text) : rebuildNative(scratch)
}

async function rebuildScript(scratch, file, text) {
  const { bundleMemclient, bundlePackages } = await bundlers(scratch)
  try {
    await bundlePackages(scratch)
    await bundleMemclient(scratch)
  } catch (error) {
    return error.message
  }
  for (const cache of CODE_CACHES) rmSync(join(scratch, cache), { force: true })
  const output = ts.transpileModule(text, { compilerOptions: COMPILER_OPTIONS, fileName: file }).outputText
  writeFileSync(join(scratch, file.replace('/src/', '/dist/src/').replace(/\.ts$/, '.js')), output)
  return null
}

const known = new Map()

/** The copy's own: what is bundled, and how, may be another thing there than here. */
function bundlers(scratch) {
  if (!known.has(scratch)) known.set(scratch, import(pathToFileURL(join(scratch, 'scripts/lib/bundle.mjs')).href))
  return known.get(scratch)
}

function rebuildNative(scratch) {
  const args = ['-C', join(scratch, NATIVE, 'build'), 'BUILDTYPE=Release', '-s']
  const { status, stderr } = spawnSync('make', args, { encoding: 'utf8' })
  return status === 0 ? null : stderr
}

export function readSource(scratch, file) {
  return readFileSync(join(scratch, file), 'utf8')
}
