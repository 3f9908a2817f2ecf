/**
 * Keeps tests readable: the imports of a test file fit in five lines, and what the tests of a package share is in one folder
 * beside them, `test-support`, with an index. Programs that tests run are in its `fixtures`.
 */
import ts from 'typescript'
import { runCheck } from './lib/check-program.mjs'
import { listSources, readText } from './lib/workspace.mjs'

const MAX_LINES = 5
const TEST = /^(packages\/[^/]+|examples|scripts)\/test\/.*\.(ts|mjs)$/
const SUPPORT = /^(packages\/[^/]+|examples|scripts)\/test\/(.*\/)?(support|fixtures)\//

function findProblems(root) {
  const sources = listSources(root)
  const tests = sources.filter((file) => TEST.test(file) && !SUPPORT.test(file))
  return [...tests.flatMap((file) => importProblems(file, readText(root, file))), ...supportProblems(sources)]
}

function importProblems(file, text) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest)
  const lineOf = (position) => source.getLineAndCharacterOfPosition(position).line
  const imports = source.statements.filter(ts.isImportDeclaration)
  const lines = imports.reduce((sum, each) => sum + lineOf(each.end) - lineOf(each.getStart(source)) + 1, 0)
  return lines > MAX_LINES ? [`${file}: its imports take ${lines} lines, not ${MAX_LINES}`] : []
}

function supportProblems(sources) {
  const inPackages = sources.filter((file) => file.startsWith('packages/'))
  const strays = inPackages.filter((file) => SUPPORT.test(file)).map((file) => `${file}: belongs in test-support`)
  const packages = inPackages
    .filter((file) => file.includes('/test-support/'))
    .map((file) => file.split('/', 2).join('/'))
  const lacking = [...new Set(packages)].filter((folder) => !sources.includes(`${folder}/test-support/index.ts`))
  return [...strays, ...lacking.map((folder) => `${folder}/test-support: has no index.ts`)]
}

runCheck('check-tests', findProblems)
