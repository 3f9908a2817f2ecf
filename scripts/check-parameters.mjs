/**
 * No function takes more than five parameters by position, and none takes two booleans side by side: at the call nobody
 * could tell which is which. In TypeScript also no call gives two literal booleans side by side. An object with names is
 * the cure. Android's own signatures, and those of other libraries that are followed here to the letter, are excepted.
 */
import { runCheck } from './lib/check-program.mjs'
import { isNative } from './lib/includes.mjs'
import { nativeProblems } from './lib/parameters-cpp.mjs'
import { typeScriptProblems } from './lib/parameters-typescript.mjs'
import { listSources, readText } from './lib/workspace.mjs'

/** By file and name: signatures of others. */
const FOLLOWED = new Set([
  'packages/memfd-native/src/mmap.ts map', // mmap-io: map(size, prot, flags, fd, offset, advice)
  'packages/memfd-native/src/mmap.ts sync', // mmap-io: sync(buffer, offset, length, blocking, invalidate)
  'packages/memfd-native/test/mmap.ts sync',
])

function findProblems(root) {
  return listSources(root).flatMap((file) => {
    if (!/^(packages|scripts|examples)\//.test(file)) return []
    if (/\.(tsx?|js|mjs|cjs)$/.test(file)) return describe(file, typeScriptProblems(file, readText(root, file)))
    return isNative(file) ? describe(file, nativeProblems(readText(root, file))) : []
  })
}

function describe(file, problems) {
  return problems
    .filter(({ name }) => !FOLLOWED.has(`${file} ${name}`))
    .map(({ line, name, problem }) => `${file}:${line}: ${name} ${problem}`)
}

runCheck('check-parameters', findProblems)
