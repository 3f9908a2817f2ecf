/** Makes tarballs of all packages, as they are published, and of what they depend on: enough to install without a network. */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { hashSources, isPublished, MADE_OF, PREBUILT } from '../lib/packing.mjs'
import { listPackages, readJson, repositoryRoot } from '../lib/workspace.mjs'

export const PUBLISHED = listPackages(repositoryRoot).filter(({ manifest }) => isPublished(manifest))

export function npm(args, cwd) {
  return execFileSync('npm', [...args, '--offline', '--no-audit', '--no-fund', '--no-update-notifier'], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/**
 * The packages beside the scripts that pack them, and the compiler that these need: packing changes package.json for a moment, which others
 * here may be reading.
 * @param addon in place of each binary; without it they are those of `npm run build:prebuilt`
 */
export function copyWorkspace(root, addon) {
  const skipped = ['build', 'node_modules', 'test', ...(addon === undefined ? [] : ['prebuilds'])]
  const filter = (path) => !skipped.includes(basename(path))
  const options = { recursive: true, filter }
  for (const { folder } of PUBLISHED) cpSync(join(repositoryRoot, folder), join(root, folder), options)
  cpSync(join(repositoryRoot, 'scripts'), join(root, 'scripts'), options)
  mkdirSync(join(root, 'node_modules'))
  symlinkSync(join(repositoryRoot, 'node_modules/typescript'), join(root, 'node_modules/typescript'))
  if (addon === undefined) return
  const native = join(root, 'packages/memfd-native')
  for (const file of PREBUILT) {
    mkdirSync(join(native, dirname(file)), { recursive: true })
    cpSync(addon, join(native, file))
  }
  writeFileSync(join(native, MADE_OF), hashSources(native))
}

/** @returns the tarballs by the packages' names */
export function packAll(root, tarballs) {
  mkdirSync(tarballs)
  return new Map(PUBLISHED.map(({ folder, manifest }) => [manifest.name, pack(join(root, folder), tarballs)]))
}

export function pack(folder, tarballs) {
  const lines = npm(['pack', '--pack-destination', tarballs], folder).trimEnd().split('\n')
  return join(tarballs, lines.at(-1))
}

/** What others made, as npm installed it here: no network is needed. @returns as packAll */
export function packDependencies(tarballs) {
  const folders = new Map()
  const visit = (name, from) => {
    if (folders.has(name) || PUBLISHED.some(({ manifest }) => manifest.name === name)) return
    const folder = findPackage(name, from)
    folders.set(name, folder)
    for (const dependency of dependenciesOf(readJson(folder, 'package.json'))) visit(dependency, folder)
  }
  for (const { folder, manifest } of PUBLISHED) {
    for (const name of dependenciesOf(manifest)) visit(name, join(repositoryRoot, folder))
  }
  return new Map([...folders].map(([name, folder]) => [name, packAsIs(name, folder, tarballs)]))
}

/** Where Node finds a package, from a folder. */
function findPackage(name, from) {
  const here = join(from, 'node_modules', name)
  return existsSync(here) ? here : findPackage(name, dirname(from))
}

/** As npm's tarballs are: all files in a folder `package`. */
function packAsIs(name, folder, tarballs) {
  const path = join(tarballs, `${name.replace('/', '-')}.tgz`)
  execFileSync('tar', ['-czf', path, '-C', folder, '--exclude=./node_modules', '--transform=s,^\\.,package,', '.'])
  return path
}

const dependenciesOf = ({ dependencies = {} }) => Object.keys(dependencies)

/** What a registry knows of each: `{ manifest, tarball }`. */
export function listTarballs(paths) {
  return paths.map((tarball) => {
    const manifest = JSON.parse(execFileSync('tar', ['-xzOf', tarball, 'package/package.json'], { encoding: 'utf8' }))
    return { manifest, tarball }
  })
}
