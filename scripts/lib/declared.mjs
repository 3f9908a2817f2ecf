/** Checks that what a package imports is declared in its package.json, and that every declared dependency is imported. */
import { findImports, splitSpecifier } from './imports.mjs'
import { listSources, readText } from './workspace.mjs'

/** A package that ships as bundles: whose code they contain, and what they find by its folder or its name. */
const BUNDLES = {
  '@memsvc/client-cli': { contains: ['@memsvc/shared', 'commander'], finds: ['memfd-native'] },
  '@memsvc/memory-service': { contains: ['commander', 'pino'], finds: ['@memsvc/replication'] },
  '@memsvc/replication': { contains: ['undici'], finds: [] },
}

const isShipped = (file) => /^packages\/[^/]+\/(src|bin)\//.test(file)

/**
 * @param own the package; @param packages all of them; @param rootTools what the whole workspace develops with
 * @param mayLoad (from, to): whether what ships of one package may load another
 */
export function declaredProblems(root, own, { packages, rootTools, mayLoad }) {
  const imports = listSources(root, own.folder)
    .filter((file) => /\.(tsx?|js|mjs)$/.test(file))
    .flatMap((file) => findImports(readText(root, file)).map(({ specifier }) => ({ file, specifier })))
    .filter(({ specifier }) => !specifier.startsWith('.'))
  const problems = imports.map((found) => importProblem(own, found, { packages, rootTools, mayLoad }))
  return [...problems.filter((problem) => problem !== null), ...unusedProblems(root, own, imports)]
}

function importProblem({ manifest }, { file, specifier }, { packages, rootTools, mayLoad }) {
  if (specifier.startsWith('node:')) return null
  const { name, subpath } = splitSpecifier(specifier)
  const edge = `${file} imports ${specifier}`
  const sibling = packages.find((candidate) => candidate.manifest.name === name)
  if (sibling && !(subpath in (sibling.manifest.exports ?? {}))) return `${edge}: not among the exports of ${name}`
  if (isShipped(file) && subpath === './test-support') return `${edge}: what runs needs a test's`
  if (sibling && isShipped(file) && !mayLoad(manifest.name, name)) return `${edge}: not a layer below it`
  const contained = BUNDLES[manifest.name]?.contains.includes(name) ?? false
  const mayBeDeveloped = !isShipped(file) || contained
  const declared = [...runtimeDependencies(manifest), ...(mayBeDeveloped ? testDependencies(manifest, rootTools) : [])]
  return declared.includes(name) ? null : `${edge}: not in its package.json`
}

function runtimeDependencies({ dependencies, optionalDependencies, peerDependencies }) {
  return Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })
}

function testDependencies({ name, devDependencies }, rootTools) {
  return [name, ...Object.keys(devDependencies ?? {}), ...rootTools]
}

/** What ships must be imported by what ships; a tool for development may also be named in a script or a gyp file. */
function unusedProblems(root, { folder, manifest }, imports) {
  const found = BUNDLES[manifest.name]?.finds ?? []
  const shipped = new Set([...importedNames(imports.filter(({ file }) => isShipped(file))), ...found])
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
  const gyp = listSources(root, folder).filter((file) => /\.gypi?$/.test(file))
  return [...Object.values(scripts ?? {}), ...gyp.map((file) => readText(root, file))].join('\n')
}
