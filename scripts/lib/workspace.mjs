/** What every script needs to know of the tree: where it is, which packages it has, which files. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const repositoryRoot = fileURLToPath(new URL('../..', import.meta.url))

const OUTPUT_FOLDERS = new Set(['.git', '.sanitize', '.tap', '.tools', 'build', 'dist', 'node_modules', 'prebuilds'])

/** The packages of a workspace, by folder: `{ folder: 'packages/shared', manifest }`. */
export function listPackages(root) {
  const folders = existsSync(join(root, 'packages')) ? readdirSync(join(root, 'packages')).sort() : []
  return folders
    .map((name) => `packages/${name}`)
    .filter((folder) => existsSync(join(root, folder, 'package.json')))
    .map((folder) => ({ folder, manifest: readJson(root, `${folder}/package.json`) }))
}

export function readText(root, path) {
  return readFileSync(join(root, path), 'utf8')
}

export function readJson(root, path) {
  return JSON.parse(readText(root, path))
}

/** Every file under `folder`, as sorted paths relative to `root`. What is built or installed is left out. */
export function listSources(root, folder = '') {
  return walk(root, folder, (name) => !OUTPUT_FOLDERS.has(name))
}

/** Every file under `folder`, built ones too. A folder that is not there has none. */
export function listFiles(root, folder) {
  return walk(root, folder, () => true)
}

function walk(root, folder, entersFolder) {
  if (!existsSync(join(root, folder))) return []
  const entries = readdirSync(join(root, folder), { withFileTypes: true })
  const files = entries.flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (entry.isDirectory()) return entersFolder(entry.name) ? walk(root, path, entersFolder) : []
    return entry.isFile() ? [path] : []
  })
  return files.sort()
}
