/**
 * Loads library.js, the bundle of this package. For the Node.js that built there is compiled code beside it, and V8 reads that in
 * half the time that the source takes it; Node.js has no way to give it such code for an ES module, but for a script it has. So the
 * module is run as a script, from the same file: its imports are arguments then, and its exports what it returns.
 *
 * Whoever wants to see more of a module than what it does (source maps, coverage, a compile cache of the program's own) gets it as
 * Node.js loads it. Bundlers, Bun and Deno do not get here: package.json leads them to library.js.
 */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import process from 'node:process'
import { Script } from 'node:vm'
import * as memfdNative from 'memfd-native'

const FOLDER = import.meta.dirname
const FILE = `${FOLDER}/library.js`
const URL_OF_FILE = `file://${encodeURI(FILE)}`
/**
 * What stacks call it where there is compiled code. V8 keeps the name in the compiled code, and that is made on another machine: so it is
 * nobody's path.
 */
const NAME = '@memsvc/shared/dist/bundle/library.js'
/** What the build puts ahead of the library ends with it (scripts/lib/bundle-library.mjs): until there, it is a module. */
const MODULE_ENDS = '//#script'
const [NEWLINE, SPACE] = [10, 32]

type Run = (...args: unknown[]) => object

/** What it exports. */
export const library: object = load()

/** Where its compiled code lies, for this version of V8: it refuses that of another one only if the version says so. */
export function codeCachePath(): string {
  return `${FOLDER}/${process.versions.v8}-${process.arch}.code-cache`
}

/** For compiled code. @param cachedData that code; V8 sets `cachedDataRejected` of what does not fit */
export function compileLibrary(cachedData?: Uint8Array): Script {
  return new Script(scriptText(), { filename: NAME, ...(cachedData && { cachedData }) })
}

/** @returns its exports, of an instance of its own */
export function runLibrary(script: Script): object {
  return runWith(script.runInThisContext() as Run, NAME)
}

function load(): object {
  if (!isMainRealm()) return loadHere()
  if (isWatched()) return loadAsModule()
  const path = codeCachePath()
  if (existsSync(path)) {
    const script = compileLibrary(readFileSync(path))
    if (script.cachedDataRejected === false) return runLibrary(script)
  }
  return loadAsScript()
}

/** Node's functions are of the realm that it made itself. */
function isMainRealm(): boolean {
  return createRequire instanceof Function
}

/** By a name that has the path. */
function loadAsScript(): object {
  return runWith(new Script(scriptText(), { filename: URL_OF_FILE }).runInThisContext() as Run, FILE)
}

/** As Node.js does. Where somebody else loads modules (Yarn's Plug'n'Play), what is required may not find what it imports. */
function loadAsModule(): object {
  try {
    return createRequire(FILE)(FILE) as object
  } catch {
    return loadAsScript()
  }
}

/** A realm of somebody's own has no loader of modules that answers at once. */
function loadHere(): object {
  // biome-ignore lint/security/noGlobalEval: only so is it of this realm
  return runWith(globalThis.eval(`${scriptText()}\n//# sourceURL=${URL_OF_FILE}`) as Run, FILE)
}

/** @param file as stacks call it: the library looks there for the method that was called */
function runWith(run: Run, file: string): object {
  return run((name: string) => process.getBuiltinModule(name), memfdNative, dirname(file))
}

/** Somebody wants to know of each module. */
function isWatched(): boolean {
  const { getCompileCacheDir } = process.getBuiltinModule('node:module') as { getCompileCacheDir?: () => unknown }
  const { sourceMapsEnabled } = process as { sourceMapsEnabled?: boolean }
  return (
    sourceMapsEnabled === true || process.env.NODE_V8_COVERAGE !== undefined || getCompileCacheDir?.() !== undefined
  )
}

/**
 * The library as a function of what it imports. It is made of the module in place, and nothing is moved: each line is where it is in
 * the file, and of half a megabyte there is one string, not three.
 */
function scriptText(): string {
  const bytes = readFileSync(FILE)
  const begin = bytes.indexOf(MODULE_ENDS)
  const first = bytes.indexOf('import')
  for (let i = 0; i < begin; i++) if (bytes[i] !== NEWLINE) bytes[i] = SPACE
  bytes.write('(function (requireBuiltin, memfdNative, libraryFolder) {', first)
  const end = bytes.lastIndexOf('\nexport {\n')
  const names = bytes.toString('latin1', end, bytes.indexOf('\n}', end))
  const returned = names.replace('export', 'return').replace(/(\w+) as (\w+)/g, '$2: $1')
  bytes.fill(SPACE, end)
  bytes.write(`${returned}\n}})`, end)
  return bytes.toString('latin1') // esbuild writes ASCII only
}
