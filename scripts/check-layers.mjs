/**
 * Enforces the dependencies in docs/architecture.md: between the packages, between the layers of packages/shared/src and of
 * the native code, and that there is no circle of files or of folders. Importing a type counts as importing. It also checks
 * that code that runs never imports from tests, that every import is declared in its package.json, and that every declared
 * dependency is imported.
 */
import { existsSync, realpathSync } from 'node:fs'
import { join, posix } from 'node:path'
import { runCheck } from './lib/check-program.mjs'
import { findCircles } from './lib/circles.mjs'
import { declaredProblems } from './lib/declared.mjs'
import { findImports } from './lib/imports.mjs'
import { findIncludes, isNative, unitOf } from './lib/includes.mjs'
import { listPackages, listSources, readJson, readText } from './lib/workspace.mjs'

/** What of the workspace each package may load; null: all. A package to come is a client of the library, as docs/architecture.md says. */
const PACKAGE_ARROWS = {
  'memfd-native': [],
  '@memsvc/shared': ['memfd-native'],
  '@memsvc/memory-service': ['@memsvc/shared', 'memfd-native'],
  '@memsvc/client-cli': ['@memsvc/shared', '@memsvc/ui'],
  '@memsvc/ui': ['@memsvc/shared'],
  '@memsvc/replication': ['@memsvc/shared', 'memfd-native'],
  '@memsvc/bench': null,
}
const OF_A_NEW_PACKAGE = ['@memsvc/shared']

/** Folders in layers, lowest first: each entry may need those of its own layer and of lower ones. */
const LAYERS = {
  'packages/shared/src': [
    ['util'],
    ['os'],
    ['parcel'],
    ['channel'],
    ['quota'],
    ['binder'],
    ['service-manager', 'interfaces'],
    ['watching'],
    ['value', 'store'],
    ['command'],
    ['inspect'],
    ['index.ts', 'internal.ts', 'parts.ts'],
  ],
  'packages/memfd-native/native': [
    [
      'ancillary',
      'args',
      'credentials',
      'families',
      'lasting_array',
      'lent_memory',
      'mapped_memory',
      'slot_table',
      'unique_fd',
      'unix_address',
      'words',
    ],
    ['environment'],
    ['define', 'fast_call'],
    ['context'],
    ['poll'],
    ['fd', 'mapping', 'memfd', 'process', 'scm', 'socket', 'view', 'area', 'hub'],
    ['addon'],
    ['units'],
  ],
}

/** The one circle there may be: Android's three interfaces name each other. */
const ANDROIDS_TRIO = ['ibinder.ts', 'parcel.ts', 'parcelable.ts'].map((name) => `packages/shared/src/parcel/${name}`)

/** Figures drive what the tests drive, and are no part of what users run. */
const isOfTests = (file) => /^packages\/[^/]+\/(test|test-support|figures)\//.test(file)
const isCode = (file) => /\.(tsx?|js|cjs|mjs)$/.test(file)

/** In the tree below `root`, as lines of text. */
export function findProblems(root) {
  const packages = listPackages(root)
  const rootTools = Object.keys(readJson(root, 'package.json').devDependencies ?? {})
  const mayLoad = (from, to) => (from in PACKAGE_ARROWS ? PACKAGE_ARROWS[from] : OF_A_NEW_PACKAGE)?.includes(to) ?? true
  const edges = listSources(root).flatMap((file) => edgesOf(root, file))
  return [
    ...packages.flatMap((own) => declaredProblems(root, own, { packages, rootTools, mayLoad })),
    ...edges.map(edgeProblem).filter((problem) => problem !== null),
    ...edges.map(upwardProblem).filter((problem) => problem !== null),
    ...circleProblems(edges),
    ...unitProblems(root),
  ]
}

/** What a file needs of its own project, as `{ from, to, text }`. Of native code units, not files. */
function edgesOf(root, file) {
  const inFolder = (path) => posix.join(posix.dirname(file), path)
  if (isCode(file)) {
    const own = findImports(readText(root, file)).filter(({ specifier }) => specifier.startsWith('.'))
    return own.map(({ specifier }) => ({ from: file, to: inFolder(specifier), text: `${file} imports ${specifier}` }))
  }
  if (!isNative(file)) return []
  const edges = findIncludes(readText(root, file)).map((path) => ({
    from: unitOf(file),
    to: unitOf(includedFile(root, file, path)),
    text: `${file} includes ${path}`,
  }))
  return edges.filter(({ from, to }) => from !== to || file.endsWith('.h'))
}

/** Beside the file, else in the folder `native` above it. */
function includedFile(root, file, path) {
  const beside = posix.join(posix.dirname(file), path)
  if (existsSync(join(root, beside))) return beside
  const [native] = file.match(/^.*\/native(?=\/)/) ?? [posix.dirname(file)]
  return posix.join(native, path)
}

/** An import that leaves its package, or goes to what only tests need, or that leaves the layered folder it is in, or that knows no layer. */
function edgeProblem({ from, to, text }) {
  const [owner] = from.match(/^packages\/[^/]+\//) ?? []
  if (owner && !to.startsWith(owner)) return `${text}: outside its package`
  if (!isOfTests(from) && isOfTests(to)) return `${text}: what runs needs a test's`
  const folder = layeredFolder(from)
  if (folder === undefined) return null
  if (!to.startsWith(`${folder}/`)) return `${text}: outside ${posix.basename(folder)}`
  return layerOf(folder, from) < 0 || layerOf(folder, to) < 0
    ? `${text}: one of them is in no layer of check-layers.mjs`
    : null
}

function upwardProblem({ from, to, text }) {
  const folder = layeredFolder(from)
  if (folder === undefined || layerOf(folder, from) < 0 || !to.startsWith(`${folder}/`)) return null
  return layerOf(folder, to) > layerOf(folder, from) ? `${text}: upward` : null
}

function layeredFolder(file) {
  return Object.keys(LAYERS).find((folder) => file.startsWith(`${folder}/`))
}

function layerOf(folder, file) {
  const [entry] = file.slice(folder.length + 1).split('/')
  return LAYERS[folder].findIndex((layer) => layer.includes(entry))
}

function circleProblems(edges) {
  return findCircles(edges)
    .filter(({ members }) => !members.every((member) => ANDROIDS_TRIO.includes(member)))
    .map(({ members, way }) => `a circle of ${members.join(', ')}: ${way.join(', ')}`)
}

/** What no file in `units` includes is not compiled, and missing only when somebody calls it. */
function unitProblems(root) {
  const sources = listSources(root, 'packages/memfd-native/native').filter((file) => file.endsWith('.cc'))
  const units = sources.filter((file) => posix.dirname(file).endsWith('/units'))
  const compiled = units.flatMap((unit) =>
    findIncludes(readText(root, unit)).map((path) => posix.join(posix.dirname(unit), path)),
  )
  return units.length === 0
    ? []
    : sources
        .filter((file) => !units.includes(file) && compiled.filter((each) => each === file).length !== 1)
        .map((file) => `${file}: not in exactly one of the units`)
}

// The test calls findProblems, so that not every case loads the compiler again.
if (realpathSync(process.argv[1]) === import.meta.filename) runCheck('check-layers', findProblems)
