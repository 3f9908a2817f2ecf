/** What a package is when it is published: its package.json without what only this repository needs. */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { listFiles } from './workspace.mjs'

/** Where the package.json of the repository waits while a package is packed. */
export const KEPT = 'package.json.kept'

/** Exports that the tests of this repository use of each other. */
const NOT_PUBLISHED = ['./test-support']

/** memfd-native's binaries. One that was built here is enough for a test of the packages. */
export const PREBUILT = ['x64', 'arm64'].flatMap((arch) =>
  ['glibc', 'musl'].map((libc) => `prebuilds/linux-${arch}/memfd-native.${libc}.node`),
)

export function publishedManifest({ devDependencies, scripts, exports, ...manifest }) {
  if (exports === undefined) return manifest
  const published = Object.entries(exports).filter(([name]) => !NOT_PUBLISHED.includes(name))
  return { ...manifest, exports: Object.fromEntries(published) }
}

/** What is missing for a release, or older than what it is made of: a sentence for each. */
export function missingParts(folder, { files = [], name }) {
  const roots = files.filter((file) => file.startsWith('dist/') && !file.includes('*'))
  const built = roots
    .filter((file) => !existsSync(join(folder, file)))
    .map((file) => `${file} is missing: npm run build`)
  if (name !== 'memfd-native') return built
  const native = listFiles(folder, 'native').map((file) => statSync(join(folder, file)).mtimeMs)
  const newest = Math.max(...native)
  const stale = PREBUILT.filter((file) => {
    const path = join(folder, file)
    return !existsSync(path) || statSync(path).mtimeMs < newest
  })
  return [...built, ...stale.map((file) => `${file} is missing or older than native/: npm run build:prebuilt`)]
}
