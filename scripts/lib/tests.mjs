/** Finds the test files: compiled ones of the packages, and those of the scripts, examples and figures, without fixtures. */
import { listFiles, listPackages } from './workspace.mjs'

const UNCOMPILED = ['scripts/test', 'examples/test', 'packages/bench/test']

/** Test files, all or those whose source (or compiled) path is, or lies under, one of `filters`. */
export function listTests(root, filters) {
  const compiled = listPackages(root).flatMap(({ folder }) => listFiles(root, `${folder}/dist/test`))
  const files = [
    ...compiled.filter((file) => file.endsWith('.js')),
    ...UNCOMPILED.flatMap((folder) => plainTests(root, folder)),
  ]
  return files.filter((file) => !file.includes('/fixtures/') && isSelected(file, filters))
}

function plainTests(root, folder) {
  return listFiles(root, folder).filter((file) => file.endsWith('.test.mjs'))
}

function isSelected(file, filters) {
  const source = file.replace('/dist/', '/').replace(/\.js$/, '.ts')
  const isUnder = (filter) =>
    [file, source].some((path) => filter === '' || path === filter || path.startsWith(`${filter}/`))
  return filters.length === 0 || filters.some(isUnder)
}
