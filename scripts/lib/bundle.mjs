/**
 * Makes the bundles that are run. Node loads one file in a fraction of the time and memory that eighty take. The sources are
 * bundled, not the output of the compiler: so the helpers that the code needs on Node 20 are in a bundle once, not in each file.
 */
import { copyFileSync, rmSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { build } from 'esbuild'
import { bundleLibrary } from './bundle-library.mjs'
import { bundledSources, FOLDERS, withFolders } from './bundled-sources.mjs'
import { writeLicences } from './licences.mjs'
import { LINE_MAPS, OWN_NAMES } from './output-plugins.mjs'
import { quickSources } from './quick-sources.mjs'

/**
 * Lines stay lines: of an uncaught error Node prints the whole line, and its stack says which. Few of ours become longer than
 * this when they are printed anew. The map beside it says of which line of ours each is, for `--enable-source-maps`.
 */
const READABLE = { minify: false, lineLimit: 160, sourcemap: true, sourcesContent: false }

/**
 * To import a module of Node's makes all that it exports: with node:fs and node:process the streams, 23 modules more. What is
 * required makes what is used. By node:module and not by a global: in a realm of somebody's own there may be none.
 */
const REQUIRE_BUILTIN = `
import { createRequire as makeRequireBuiltin } from 'node:module'
const requireBuiltin = makeRequireBuiltin('file:///')`

/**
 * Each of Node's modules once, and of it what is used: esbuild's own way makes a copy of all its names, for each file that imports it.
 * @param require the function that has them
 */
function builtins(require) {
  return {
    name: 'builtins',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^[\w:/]+$/ }, ({ path, kind }) => {
        if (!isBuiltin(path) || path === 'node:module') return undefined
        if (kind === 'import-statement') return { path, namespace: 'builtin', sideEffects: false }
        return kind === 'require-call' && require !== 'require' ? { path, namespace: 'required' } : undefined
      })
      onLoad({ filter: /./, namespace: 'builtin' }, ({ path }) => ({ contents: namesOf(path, require) }))
      onLoad({ filter: /./, namespace: 'required' }, ({ path }) => ({
        contents: `module.exports = ${require}('${path}')`,
      }))
    },
  }
}

/** What is pure and not used is left out. */
function namesOf(path, require) {
  // A command's own realm is Node's: there the global is the same, and need not be loaded.
  if (require === 'require' && path === 'node:process') return 'export default globalThis.process'
  const names = Object.keys(process.getBuiltinModule(path)).filter(
    (name) => /^[A-Za-z_]\w*$/.test(name) && name !== 'default',
  )
  const exported = names.map((name) => `export const ${name} = /* @__PURE__ */ (() => all.${name})()`)
  return [`const all = /* @__PURE__ */ ${require}('${path}')`, 'export default all', ...exported].join('\n')
}

/** What is imported of a package, or run. What two of its entries share, or what is loaded later, are files of their own. */
const ENTRIES = {
  'memfd-native': ['index'],
  'memory-service': ['main'],
  replication: ['index'],
  ui: ['index'],
}

/** What others write programs with: whoever looks for a fault in these sees our sources. */
const LIBRARIES = ['memfd-native', 'shared']

/** The libraries and the daemon, each by itself. Names and lines are kept, for those who read a stack. */
export async function bundlePackages(repositoryRoot) {
  for (const [name, entries] of Object.entries(ENTRIES)) {
    const folder = join(repositoryRoot, 'packages', name)
    rmSync(join(folder, 'dist/bundle'), { recursive: true, force: true })
    await bundlePackage(folder, name, entries)
  }
  rmSync(join(repositoryRoot, 'packages/shared/dist/bundle'), { recursive: true, force: true })
  await bundleLibrary(repositoryRoot, moduleOptions(LIBRARIES.includes('shared')))
}

async function bundlePackage(folder, name, entries) {
  const { metafile } = await build({
    entryPoints: entries.map((entry) => join(folder, `src/${entry}.ts`)),
    outdir: join(folder, 'dist/bundle'),
    ...moduleOptions(LIBRARIES.includes(name)),
  })
  writeLicences(join(folder, 'dist/bundle'), metafile)
}

/** @param sourcesContent whether maps hold the sources */
function moduleOptions(sourcesContent) {
  return {
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    external: ['memfd-native', '@memsvc/*', 'lmdb'],
    metafile: true,
    ...READABLE,
    sourcesContent,
    banner: { js: REQUIRE_BUILTIN },
    plugins: [OWN_NAMES, builtins('requireBuiltin'), bundledSources(), LINE_MAPS],
    logLevel: 'warning',
  }
}

/** The page of the window: preact and our own, in one file. What is installed loads no framework. */
export async function bundlePage(repositoryRoot) {
  const ui = join(repositoryRoot, 'packages/ui')
  const folder = join(ui, 'dist/page')
  rmSync(folder, { recursive: true, force: true })
  const { metafile } = await build({
    entryPoints: [join(ui, 'page/app.tsx')],
    outfile: join(folder, 'app.js'),
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    metafile: true,
    logLevel: 'warning',
  })
  writeLicences(folder, metafile)
  for (const file of ['index.html', 'style.css', 'icon.svg']) copyFileSync(join(ui, 'page', file), join(folder, file))
}

/** The commands that end soon, by package. */
const COMMANDS = { 'client-cli': { memclient: 'main' }, 'memory-service': { ask: 'main' } }
/** What is tried first where a command is `memclient read` or `get`, or `memsvc status`. */
const QUICK = {
  'client-cli': { 'quick-read': 'quick-read', 'quick-get': 'quick-get' },
  'memory-service': { 'quick-status': 'quick-status' },
}
/** Nobody sees an error of theirs: they decline. But lines stay short, for those that a defect would show. */
const SMALL = { ...READABLE, minifyIdentifiers: true, minifySyntax: true }
/** What no command that ends soon does: bin/memsvc.js leaves it to the bundle of the daemon. */
const NEVER_ASKED = ['start', 'replicate', 'doctor', 'install-unit'].map((name) => `./commands/${name}.ts`)

/**
 * Each in one file with the libraries, and in CommonJS, which loads sooner than ES modules: what a short-lived tool pays for
 * is loading.
 * @returns the paths of the bundles
 */
export async function bundleCommands(repositoryRoot) {
  const packages = join(repositoryRoot, 'packages')
  const paths = [
    ...Object.entries(COMMANDS).map(([name, entries]) => bundleCommand(packages, name, entries)),
    ...Object.entries(QUICK).map(([name, entries]) => bundleCommand(packages, name, entries, true)),
  ]
  return (await Promise.all(paths)).flat()
}

async function bundleCommand(packages, packageName, entries, isQuick = false) {
  const folder = join(packages, packageName, 'dist')
  const names = Object.keys(entries)
  // Of another bundle of the same length V8 would take it for that of this one.
  for (const name of names) rmSync(join(folder, `${name}.code-cache`), { force: true })
  const { metafile } = await build({
    entryPoints: Object.fromEntries(
      names.map((name) => [name, join(packages, packageName, `src/${entries[name]}.ts`)]),
    ),
    outdir: folder,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    supported: { 'dynamic-import': false }, // what is run as bin/memclient.cjs runs it can only require
    ...(isQuick ? SMALL : READABLE),
    banner: { js: FOLDERS },
    alias: {
      '@memsvc/shared/internal': join(packages, 'shared/src/internal.ts'),
      '@memsvc/shared': join(packages, 'shared/src/index.ts'),
      'memfd-native': join(packages, 'memfd-native/src/index.ts'),
    },
    external: NEVER_ASKED,
    logLevel: 'warning',
    metafile: true,
    plugins: [OWN_NAMES, builtins('require'), bundledSources(isQuick ? quickSources : withFolders), LINE_MAPS],
  })
  if (!isQuick) writeLicences(folder, metafile)
  return names.map((name) => join(folder, `${name}.cjs`))
}
