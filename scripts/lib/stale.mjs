/** Finds what must be built again, and removes output whose source is gone. */
import { existsSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { listFiles, listPackages, readJson } from './workspace.mjs'

/** By every build, of sources that are called otherwise. */
const MADE_ANEW = ['bundle', 'page', 'page-types']
const NATIVE = 'packages/memfd-native'

/** node_modules is missing, or package-lock.json changed since it was installed. */
export function installIsDue(root) {
  return isOlder(root, 'node_modules/.package-lock.json', ['package-lock.json'])
}

/** Some of what developing takes is not there: `npm start` has installed only what runs. */
export function toolsAreMissing(root) {
  const tools = Object.keys(readJson(root, 'package.json').devDependencies ?? {})
  return tools.some((name) => !existsSync(join(root, 'node_modules', name)))
}

/** The addon is missing, or one of its sources changed since it was built. */
export function nativeBuildIsDue(root) {
  const folders = [`${NATIVE}/native`, `${NATIVE}/test-support/native`]
  const sources = [...folders.flatMap((folder) => listFiles(root, folder)), `${NATIVE}/binding.gyp`]
  return isOlder(root, `${NATIVE}/build/Release/memfd_native.node`, sources)
}

function isOlder(root, product, sources) {
  if (!existsSync(join(root, product))) return true
  const made = statSync(join(root, product)).mtimeMs
  return sources.some((source) => statSync(join(root, source)).mtimeMs > made)
}

/** `tsc -b` leaves the output of a deleted source behind, and a test that is gone would run for ever. */
export function removeStaleOutput(root) {
  for (const { folder } of listPackages(root)) {
    for (const file of listFiles(root, `${folder}/dist`)) {
      if (MADE_ANEW.some((name) => file.startsWith(`${folder}/dist/${name}/`))) continue
      const source = file.replace(`${folder}/dist/`, `${folder}/`).replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts')
      if (source.endsWith('.ts') && !existsSync(join(root, source))) rmSync(join(root, file))
    }
  }
}
