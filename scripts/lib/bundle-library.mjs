/**
 * The bundle of @memsvc/shared: one module, library.js, that compiled.js can run as a script too, with compiled code of the Node.js that
 * built (packages/shared/src/compiled.ts says why). An entry is a list of names. In `bundle/` it takes them from compiled.js, in
 * `bundle/module/` from library.js: for bundlers, which must see what they bundle, and runtimes whose V8 is another.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

export const LIBRARY_ENTRIES = ['index', 'internal']

/** Ahead of library.js, in lines that compiled.js knows: what it is given as arguments where it is a script. */
const BANNER = `
import * as memfdNative from 'memfd-native'
const libraryFolder = import.meta.dirname
//#script`

/** esbuild's, beside those of all bundles. @param banner of those */
export async function libraryOptions(repositoryRoot, banner) {
  const names = await namesOf(join(repositoryRoot, 'packages/memfd-native/src/index.ts'))
  return {
    banner: { js: banner + BANNER },
    define: { 'import.meta.dirname': 'libraryFolder' },
    plugins: [memfdNative(names)],
  }
}

/** Of the namespace each name once, as of Node's modules. */
function memfdNative(names) {
  return {
    name: 'memfd-native',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^memfd-native$/ }, ({ path }) => ({ path, namespace: 'memfd-native' }))
      onLoad({ filter: /./, namespace: 'memfd-native' }, () => ({
        contents: names.map((name) => `export const ${name} = memfdNative.${name}`).join('\n'),
      }))
    },
  }
}

/** @param folder of the package */
export async function writeEntries(folder) {
  const bundle = join(folder, 'dist/bundle')
  mkdirSync(join(bundle, 'module'))
  for (const entry of LIBRARY_ENTRIES) {
    const names = (await namesOf(join(folder, `src/${entry}.ts`))).map((name) => `  ${name}`).join(',\n')
    const compiled = `import { library } from './compiled.js'\nexport const {\n${names}\n} = library\n`
    writeFileSync(join(bundle, `${entry}.js`), compiled)
    writeFileSync(join(bundle, `module/${entry}.js`), `export {\n${names}\n} from '../library.js'\n`)
  }
}

/** What a module exports beside types. */
async function namesOf(path) {
  const { metafile } = await build({
    entryPoints: [path],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    outdir: '.',
    external: ['memfd-native'],
  })
  return Object.values(metafile.outputs)[0].exports.sort()
}
