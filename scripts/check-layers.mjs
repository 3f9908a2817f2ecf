/**
 * Holds the arrows of docs/architecture.md: between the packages, and between the folders of packages/shared/src.
 * Also that every import is declared in its package.json, and every dependency declared there imported.
 */
import { posix } from 'node:path'
import { runCheck } from './lib/check-program.mjs'
import { findImports, splitSpecifier } from './lib/imports.mjs'
import { listPackages, listSources, readJson, readText } from './lib/workspace.mjs'

/** What of the workspace each package may load. A package that is not here (bench) may load all. */
const PACKAGE_ARROWS = {
  'memfd-native': [],
  '@memsvc/shared': ['memfd-native'],
  '@memsvc/memory-service': ['@memsvc/shared'],
  '@memsvc/client-cli': ['@memsvc/shared'],
}

/** packages/shared/src, lowest first. Each may load its own and lower ones; types may come from above. */
const SHARED_LAYERS = [
  ['util', 'errors.ts'],
  ['os'],
  ['parcel'],
  ['channel'],
  ['binder'],
  ['service-manager', 'interfaces'],
  ['index.ts', 'internal.ts'],
]
const SHARED_SOURCE = 'packages/shared/src/'

const isCode = (file) => /\.(ts|js|mjs)$/.test(file)
const isShipped = (file) => /^packages\/[^/]+\/(src|bin)\//.test(file)

function findProblems(root) {
  const packages = listPackages(root)
  const rootTools = Object.keys(readJson(root, 'package.json').devDependencies ?? {})
  return packages.flatMap((own) => packageProblems(root, own, packages, rootTools))
}

function packageProblems(root, own, packages, rootTools) {
  const files = listSources(root, own.folder)
  const imports = files
    .filter(isCode)
    .flatMap((file) => findImports(readText(root, file)).map((found) => ({ ...found, file })))
  const problems = imports.map((found) =>
    found.specifier.startsWith('.') ? relativeProblem(own, found) : bareProblem(own, found, packages, rootTools),
  )
  return [...problems.filter((problem) => problem !== null), ...unusedProblems(root, own, imports)]
}

function relativeProblem({ folder }, { file, specifier, isTypeOnly }) {
  const target = posix.join(posix.dirname(file), specifier)
  const edge = `${file} imports ${specifier}`
  if (!target.startsWith(`${folder}/`)) return `${edge}: outside its package`
  if (!file.startsWith(SHARED_SOURCE)) return null
  if (!target.startsWith(SHARED_SOURCE)) return `${edge}: outside src`
  const [from, to] = [sharedLayer(file), sharedLayer(target)]
  if (from < 0 || to < 0) return `${edge}: one of them is in no layer of check-layers.mjs`
  return to > from && !isTypeOnly ? `${edge}: upward` : null
}

function sharedLayer(file) {
  const [entry] = file.slice(SHARED_SOURCE.length).split('/')
  return SHARED_LAYERS.findIndex((layer) => layer.includes(entry))
}

function bareProblem({ manifest }, { file, specifier }, packages, rootTools) {
  if (specifier.startsWith('node:')) return null
  const { name, subpath } = splitSpecifier(specifier)
  const edge = `${file} imports ${specifier}`
  const sibling = packages.find((candidate) => candidate.manifest.name === name)
  if (sibling && !(subpath in (sibling.manifest.exports ?? {}))) return `${edge}: not among the exports of ${name}`
  if (sibling && isShipped(file) && !mayLoad(manifest.name, name)) return `${edge}: not a layer below it`
  const declared = [...runtimeDependencies(manifest), ...(isShipped(file) ? [] : testDependencies(manifest, rootTools))]
  return declared.includes(name) ? null : `${edge}: not in its package.json`
}

function mayLoad(from, to) {
  return PACKAGE_ARROWS[from]?.includes(to) ?? true
}

function runtimeDependencies({ dependencies, optionalDependencies }) {
  return Object.keys({ ...dependencies, ...optionalDependencies })
}

function testDependencies({ name, devDependencies }, rootTools) {
  return [name, ...Object.keys(devDependencies ?? {}), ...rootTools]
}

/** What ships must be imported by what ships; a tool for development may also be named in a script or binding.gyp. */
function unusedProblems(root, { folder, manifest }, imports) {
  const shipped = importedNames(imports.filter(({ file }) => isShipped(file)))
  const developed = importedNames(imports)
  const commands = buildCommands(root, folder, manifest)
  const tools = Object.keys(manifest.devDependencies ?? {})
  const unused = [
    ...runtimeDependencies(manifest).filter((name) => !shipped.has(name)),
    ...tools.filter((name) => !developed.has(name) && !commands.includes(name)),
  ]
  return unused.map((name) => `${folder}/package.json depends on ${name}, which nothing imports`)
}

function importedNames(imports) {
  return new Set(imports.map(({ specifier }) => splitSpecifier(specifier).name))
}

function buildCommands(root, folder, { scripts }) {
  const gyp = listSources(root, folder).filter((file) => file.endsWith('binding.gyp'))
  return [...Object.values(scripts ?? {}), ...gyp.map((file) => readText(root, file))].join('\n')
}

runCheck('check-layers', findProblems)
