/** What the test of the packages uses of the scripts. */
export { withoutComments } from '../../lib/bundled-sources.mjs'
export { mappedLines } from '../../lib/line-maps.mjs'
export { LINE_MAPS, OWN_NAMES } from '../../lib/output-plugins.mjs'
export { PREBUILT, publishedManifest } from '../../lib/packing.mjs'
export { quickSources, STAND_INS } from '../../lib/quick-sources.mjs'
export { readRelease } from '../../lib/release-arguments.mjs'
export { listSources, readJson, readText, repositoryRoot } from '../../lib/workspace.mjs'
export * as tarballs from '../../packages/tarballs.mjs'
