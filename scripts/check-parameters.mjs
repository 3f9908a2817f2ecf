/**
 * Checks that no function has more than five positional parameters, and none has two boolean parameters side by side: a reader
 * of the call could not tell which is which. In TypeScript, no call passes two literal booleans side by side, either. Use an
 * object with names instead. Android's own signatures, and those of other libraries that we copy exactly, are exempt.
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
