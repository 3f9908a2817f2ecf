/** What the test of the packages uses of the scripts. */
export { mappedLines, withoutComments } from '../../lib/line-maps.mjs'
export { PREBUILT, publishedManifest } from '../../lib/packing.mjs'
export { readJson, repositoryRoot } from '../../lib/workspace.mjs'
export * as tarballs from '../../packages/tarballs.mjs'
