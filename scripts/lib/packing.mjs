/** Makes the package.json of a published package: ours without what only this repository needs. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
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

/** Beside the binaries: of what they were made. */
export const MADE_OF = 'prebuilds/made-of'

/** Of what memfd-native's binaries are made: times of files say nothing in a checkout. */
export function hashSources(folder) {
  const hash = createHash('sha256')
  for (const file of listFiles(folder, 'native')) hash.update(`${file}\n`).update(readFileSync(join(folder, file)))
  return hash.digest('hex')
}

/** Those here are private, so that no way of npm's publishes one that was not packed by prepack.mjs. */
export function isPublished({ publishConfig }) {
  return publishConfig !== undefined
}

/** Where `npm run release` tells prepack.mjs where the public finds the sources, as package.json has it. Nobody else knows it. */
export const ADDRESS_VARIABLE = 'MEMSVC_REPOSITORY'

/** @param origin `{ url, directory }`: of the sources, if they are known */
export function publishedManifest({ devDependencies, scripts, exports, private: isPrivate, ...manifest }, origin) {
  const repository = origin === undefined ? {} : { repository: { type: 'git', ...origin } }
  if (exports === undefined) return { ...manifest, ...repository }
  const published = Object.entries(exports).filter(([name]) => !NOT_PUBLISHED.includes(name))
  return { ...manifest, ...repository, exports: Object.fromEntries(published) }
}

/** What is missing for a release, or made of other sources: a sentence for each. */
export function missingParts(folder, { files = [], name }) {
  const roots = files.filter((file) => file.startsWith('dist/') && !file.includes('*'))
  const built = roots
    .filter((file) => !existsSync(join(folder, file)))
    .map((file) => `${file} is missing: npm run build`)
  if (name !== 'memfd-native') return built
  const missing = PREBUILT.filter((file) => !existsSync(join(folder, file)))
  const isCurrent =
    existsSync(join(folder, MADE_OF)) && readFileSync(join(folder, MADE_OF), 'utf8') === hashSources(folder)
  return [
    ...built,
    ...missing.map((file) => `${file} is missing: npm run build:prebuilt`),
    ...(isCurrent ? [] : ['prebuilds/ was made of other sources than native/: npm run build:prebuilt']),
  ]
}
